export const Fragment: unknown;
export function h(type: unknown, props: unknown, ...children: unknown[]): any;
export function render(what: unknown, root: Element): void;
