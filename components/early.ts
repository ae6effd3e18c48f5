import { recordedStack } from './recorded-stack';

// A program that loads this before all else has the CLI work while the rest of it is loaded, which takes about as long.
void recordedStack();
