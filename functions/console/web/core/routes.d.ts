// What a request of `ask` is answered, by the path that it names.
import type { Answers } from '../api';

/** A path, whole or in parts. What somebody has named is an object, or a text that isn't known before. */
export type Path = string | readonly (string | Record<string, unknown>)[];
type Named<Part> = 0 extends 1 & Part ? string : Part extends string ? Part : string;
type Joined<P> = P extends string ? P
  : P extends readonly [infer Only] ? Named<Only>
  : P extends readonly [infer One, ...infer Rest] ? `${Named<One>}/${Joined<Rest>}` : never;
/** A route of the contract with any text where it has a parameter. */
type Open<Route> = Route extends `${infer Before}{${string}}${infer After}` ? `${Before}${string}${Open<After>}` : Route;
type Same<One, Other> = [One] extends [Other] ? [Other] extends [One] ? true : false : false;
type Found<Asked> = { [R in keyof Answers]: Same<Open<R>, Asked> extends true ? Answers[R] : never }[keyof Answers];
/** What a route answers; anything where the route isn't known before it is asked. */
export type Answer<M extends string, P> = [Found<`${M} ${Joined<P>}`>] extends [never] ? any : Found<`${M} ${Joined<P>}`>;
/** Items of a list. */
export type Items<P> = Answer<'GET', P> extends { items: Array<infer Item> } ? Item[] : any[];
