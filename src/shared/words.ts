/** `13.2 GB`, for a person. */
export function gigabytes(bytes: number): string {
  return bytes < 1e9
    ? `${Math.max(1, Math.round(bytes / 1e6))} MB`
    : `${(bytes / 1e9).toFixed(1)} GB`;
}
