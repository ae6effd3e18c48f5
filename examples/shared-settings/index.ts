import * as pulumi from '@pulumi/pulumi';

const config = new pulumi.Config();

/**
 * Each setting is an output of its own, under the name of the key that it stands in for; the token stays a secret. Set
 * it with `pulumi config set --secret orchestratorToken`.
 */
export = {
  ...config.requireObject<Record<string, unknown>>('settings'),
  orchestratorToken: config.requireSecret('orchestratorToken'),
};
