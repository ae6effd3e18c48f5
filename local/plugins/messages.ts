/** Between what a plugin says and the messages of Pulumi's ResourceProvider protocol. */
import * as grpc from '@grpc/grpc-js';
import { Any } from 'google-protobuf/google/protobuf/any_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Status } from '@pulumi/pulumi/proto/status_pb';
import { type CheckFailure, type DiffResult, IncompleteResourceError } from './plugin';
import { type Properties, inputOf, unwrapSecrets } from './properties';

/** `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`, where a name may contain `::` itself. */
export function typeOf(urn: string): string {
  const qualified = urn.split('::')[2] ?? '';
  return qualified.slice(qualified.lastIndexOf('$') + 1);
}

export function nameOf(urn: string): string {
  return urn.split('::').slice(3).join('::');
}

export function fromStruct(struct: Struct | undefined): Properties {
  return struct === undefined ? {} : (unwrapSecrets(struct.toJavaScript()) as Properties);
}

export function toStruct(properties: Properties): Struct {
  // Struct refuses undefined, which JSON leaves out.
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, never>);
}

export function checkFailure({ property, reason }: CheckFailure): proto.CheckFailure {
  return new proto.CheckFailure().setProperty(property).setReason(reason);
}

export function diffResponse({ changes, deleteBeforeReplace }: DiffResult): proto.DiffResponse {
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = proto.PropertyDiff.Kind;
  const kinds = {
    add: [ADD, ADD_REPLACE],
    delete: [DELETE, DELETE_REPLACE],
    update: [UPDATE, UPDATE_REPLACE],
  } as const;
  const replacing = changes.filter(({ replaces }) => replaces);
  const response = new proto.DiffResponse()
    .setChanges(
      changes.length > 0
        ? proto.DiffResponse.DiffChanges.DIFF_SOME
        : proto.DiffResponse.DiffChanges.DIFF_NONE,
    )
    .setDiffsList([...new Set(changes.map(({ path }) => inputOf(path)))])
    .setReplacesList([...new Set(replacing.map(({ path }) => inputOf(path)))])
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(true);
  for (const { path, kind, replaces } of changes) {
    response.getDetaileddiffMap().set(path, new proto.PropertyDiff().setKind(kinds[kind][replaces ? 1 : 0]));
  }
  return response;
}

export function serviceError(error: unknown): grpc.ServerErrorResponse {
  const message = error instanceof Error ? error.message : String(error);
  const response = { name: 'Error', code: grpc.status.UNKNOWN, message, details: message };
  if (!(error instanceof IncompleteResourceError)) return response;

  const failed = new proto.ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(toStruct(error.state))
    .setReasonsList([message]);
  const detail = new Any();
  detail.pack(failed.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed');
  const status = new Status().setCode(grpc.status.UNKNOWN).setMessage(message).setDetailsList([detail]);
  const metadata = new grpc.Metadata();
  metadata.add('grpc-status-details-bin', Buffer.from(status.serializeBinary()));
  return { ...response, metadata };
}
