// What every JavaScript host of ours has, though ES2023's own library does not name it. Only the shared
// project reads this file; the others have the declarations of their host.
declare function structuredClone<T>(value: T): T;
declare function queueMicrotask(callback: () => void): void;
