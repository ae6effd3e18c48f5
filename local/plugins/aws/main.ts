import { serve } from '../server';
import { functions } from './functions';
import { AwsPlugin } from './provider';
import { resources } from './resources';

/** The version of the SDK that this stands in for; the build puts it here. */
declare const PLUGIN_VERSION: string;

// What the plugin writes to stderr shows on the user's console.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

void serve(new AwsPlugin(PLUGIN_VERSION, resources, functions), process.argv.slice(2));
