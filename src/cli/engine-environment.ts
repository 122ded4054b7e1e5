/**
 * Tells the engine where the app keeps what it fetched, before the engine is loaded: CUDA's provider may be among it.
 * The first import of a program of the command's.
 */
import path from 'node:path';
import { cudaEnvironment } from '../shared/cuda.ts';
import { userDataFolder } from './user-data.ts';

const data = path.join(userDataFolder(), 'data');
process.env[cudaEnvironment.parts] ??= path.join(data, 'parts');
process.env[cudaEnvironment.python] ??= path.join(data, 'training', 'environment', 'python');
