import type { Component } from 'svelte';

/** What a menu offers. */
export interface MenuItem {
  readonly label: string;
  readonly icon: Component<{ size?: number; strokeWidth?: number }>;
  readonly keys?: string;
  readonly testId?: string;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  /** Of several items one is chosen: whether this is it. */
  readonly checked?: boolean;
  /** A line stands above it. */
  readonly separated?: boolean;
  readonly act: () => void;
}
