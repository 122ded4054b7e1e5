/**
 * Environment variables that keep what we load from reporting home; for each process of ours that loads it. ONNX
 * Runtime reads its own when the first session is made (1.30, measured), which must come after.
 */
export const quietEnvironment = { ORT_DISABLE_TELEMETRY: '1' } as const;
