import { serve } from '../server';
import { CommandPlugin } from './provider';

/** The version of the SDK that this stands in for; the build puts it here. */
declare const PLUGIN_VERSION: string;

void serve(new CommandPlugin(PLUGIN_VERSION), process.argv.slice(2));
