type Inputs = readonly unknown[];
export function useEffect(effect: () => unknown, inputs?: Inputs): void;
export function useLayoutEffect(effect: () => unknown, inputs?: Inputs): void;
export function useMemo<T>(make: () => T, inputs: Inputs): T;
export function useRef(first?: unknown): { current: any };
export function useState(first?: unknown): [any, (next: any) => void];
