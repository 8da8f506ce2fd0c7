/** What `htm` binds to: makes elements of a template. */
declare const htm: { bind(h: unknown): (strings: TemplateStringsArray, ...values: any[]) => any };
export default htm;
