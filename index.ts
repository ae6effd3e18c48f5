// First, because it begins to ask for what takes a while.
import './components/early';
import { declareStack, type StackOutputs } from './components/stack';
import { spareStackTraces } from './components/stack-traces';
import { loadConfig } from './config/load';

export = async (): Promise<StackOutputs> => {
  spareStackTraces();
  return (await declareStack(await loadConfig(__dirname))).outputs;
};
