// AWS Secrets Manager: what a user of @aws-sdk/client-secrets-manager sees of secrets and rotation.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { beforeEach, test } from "node:test";
import * as sm from "@aws-sdk/client-secrets-manager";
import { emulator, fresh, refusal } from "./emulators.mjs";

const aws = emulator("aws");
beforeEach(() => aws.reset());

const REGION = "us-east-1";
const FUNCTION = `arn:aws:lambda:${REGION}:123456789012:function:rotate`;
const RULES = { RotationLambdaARN: FUNCTION, RotationRules: { AutomaticallyAfterDays: 30 } };
const DAY = 86_400_000;

const client = (accessKeyId = "testid", secretAccessKey = "testsecret", region = REGION) =>
    new sm.SecretsManagerClient({
        endpoint: `http://${aws.address}`,
        region,
        credentials: { accessKeyId, secretAccessKey },
        maxAttempts: 1,
    });
const sdk = client();

const call = (action, input, by = sdk) => by.send(new sm[`${action}Command`](input));
const describe = (SecretId) => call("DescribeSecret", { SecretId });
const value = (SecretId, version = {}) => call("GetSecretValue", { SecretId, ...version });
const labels = async (SecretId) => (await describe(SecretId)).VersionIdsToStages;

/** The class with which the SDK reports a refusal. */
async function refused(promise) {
    const error = await refusal(promise);
    assert.ok(error instanceof sm.SecretsManagerServiceException, String(error));
    assert.ok(error.$metadata.requestId && error.message);
    assert.ok([400, 403].includes(error.$metadata.httpStatusCode));
    return error.name;
}

/** A secret with one version. */
async function secret() {
    const Name = `sdk/${fresh("secret")}@1`;
    const made = await call("CreateSecret", { Name, SecretString: "one", Description: "a & b" });
    assert.equal(made.Name, Name);
    assert.match(made.ARN, new RegExp(`^arn:aws:secretsmanager:${REGION}:123456789012:secret:${Name}-\\w{6}$`));
    return Name;
}

/** A rotation that has had the time that it takes. */
async function rotate(SecretId, settings = {}) {
    const rotated = await call("RotateSecret", { SecretId, ...settings });
    await aws.advance(2);
    return rotated;
}

test("a rotation ends in a new current version", async () => {
    const name = await secret();
    const before = await value(name);
    const token = randomUUID();
    const rotated = await rotate(name, { ClientRequestToken: token, ...RULES });
    assert.deepEqual([rotated.Name, rotated.VersionId], [name, token]);
    const after = await value(name);
    assert.deepEqual([after.VersionId, after.VersionStages], [token, ["AWSCURRENT"]]);
    assert.notEqual(after.SecretString, before.SecretString);
    assert.ok(after.CreatedDate instanceof Date);
    assert.equal((await value(name, { VersionStage: "AWSPREVIOUS" })).SecretString, "one");
    assert.deepEqual(await labels(name), { [before.VersionId]: ["AWSPREVIOUS"], [token]: ["AWSCURRENT"] });

    // The SDK makes a token itself; settings are kept from the first time.
    const next = await rotate(name);
    assert.notEqual(next.VersionId, token);
    assert.notEqual((await value(name)).SecretString, after.SecretString);
    await rotate(name, { ClientRequestToken: next.VersionId });
    assert.equal((await value(name)).VersionId, next.VersionId);
});

test("a description shows settings and dates", async () => {
    const name = await secret();
    await rotate(name, RULES);
    const read = await describe(name);
    assert.deepEqual([read.Name, read.Description, read.RotationEnabled], [name, "a & b", true]);
    assert.deepEqual([read.RotationLambdaARN, read.RotationRules], [FUNCTION, RULES.RotationRules]);
    const days = (read.NextRotationDate - read.LastRotatedDate) / DAY;
    assert.ok(28 < days && days < 32, `${days} days`);
    assert.equal((await describe(read.ARN)).Name, name);
    assert.equal(read.DeletedDate, undefined);
    await call("CancelRotateSecret", { SecretId: name });
    assert.equal((await describe(name)).RotationEnabled, false);
});

test("without a function nothing rotates", async () => {
    const name = await secret();
    const before = await labels(name);
    assert.equal(await refused(call("RotateSecret", { SecretId: name })), "InvalidRequestException");
    assert.deepEqual(await labels(name), before);
});

test("a version that is pending keeps others out", async () => {
    const name = await secret();
    await rotate(name, RULES);
    const half = { SecretId: name, SecretString: "half", VersionStages: ["AWSPENDING"] };
    const { VersionId } = await call("PutSecretValue", half);
    assert.equal(await refused(call("RotateSecret", { SecretId: name })), "InvalidRequestException");
    const off = { SecretId: name, VersionStage: "AWSPENDING", RemoveFromVersionId: VersionId };
    await call("UpdateSecretVersionStage", off);
    await rotate(name);
});

test("rules outside their bounds are refused", async () => {
    const name = await secret();
    for (const RotationRules of [
        { AutomaticallyAfterDays: 1001 },
        { ScheduleExpression: "rate(1 hour)" },
        { AutomaticallyAfterDays: 30, ScheduleExpression: "rate(30 days)" },
    ]) {
        const rotation = call("RotateSecret", { SecretId: name, RotationLambdaARN: FUNCTION, RotationRules });
        assert.match(await refused(rotation), /^(InvalidParameter|Validation)Exception$/);
    }
    assert.equal((await describe(name)).RotationRules, undefined);
});

test("a written version moves the labels", async () => {
    const name = await secret();
    const first = (await value(name)).VersionId;
    const text = 'two & a half=+%/~ \\"凭据\n';
    const second = (await call("PutSecretValue", { SecretId: name, SecretString: text })).VersionId;
    assert.equal((await value(name)).SecretString, text);
    assert.deepEqual(await labels(name), { [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] });
    const other = { SecretId: name, ClientRequestToken: second, SecretString: "other" };
    assert.equal(await refused(call("PutSecretValue", other)), "ResourceExistsException");
    const back = { SecretId: name, VersionStage: "AWSCURRENT", MoveToVersionId: first };
    await call("UpdateSecretVersionStage", { ...back, RemoveFromVersionId: second });
    assert.equal((await value(name)).SecretString, "one");
});

test("the SDK's own paginator finds every version", async () => {
    const name = await secret();
    for (let at = 0; at < 4; at++) {
        await call("PutSecretValue", { SecretId: name, SecretString: `value ${at}` });
    }
    const seen = [];
    const query = { SecretId: name, IncludeDeprecated: true };
    for await (const page of sm.paginateListSecretVersionIds({ client: sdk, pageSize: 2 }, query)) {
        assert.ok(page.Versions.length <= 2);
        seen.push(...page.Versions.map((entry) => entry.VersionId));
    }
    assert.equal(new Set(seen).size, 5);
    assert.equal(seen.length, 5);
});

test("tags are shown", async () => {
    const Name = fresh("tagged");
    const Tags = [{ Key: "team", Value: "a b" }];
    await call("CreateSecret", { Name, SecretString: "one", Tags });
    assert.deepEqual((await describe(Name)).Tags, Tags);
});

test("a deleted secret waits, returns and goes", async () => {
    const name = await secret();
    await rotate(name, RULES);
    const deleted = await call("DeleteSecret", { SecretId: name, RecoveryWindowInDays: 7 });
    const days = (deleted.DeletionDate - Date.now()) / DAY;
    assert.ok(6 < days && days < 8, `${days} days`);
    assert.ok((await describe(name)).DeletedDate instanceof Date);
    assert.equal(await refused(value(name)), "InvalidRequestException");
    assert.equal(await refused(call("RotateSecret", { SecretId: name })), "InvalidRequestException");
    await call("RestoreSecret", { SecretId: name });
    assert.equal((await describe(name)).DeletedDate, undefined);
    await rotate(name);
    await call("DeleteSecret", { SecretId: name, ForceDeleteWithoutRecovery: true });
    assert.equal(await refused(describe(name)), "ResourceNotFoundException");
});

test("refusals are the SDK's own classes", async () => {
    const name = await secret();
    const SecretId = fresh("unknown");
    for (const action of ["RotateSecret", "GetSecretValue", "DescribeSecret", "ListSecretVersionIds"]) {
        assert.ok((await refusal(call(action, { SecretId }))) instanceof sm.ResourceNotFoundException, action);
    }
    const taken = await refusal(call("CreateSecret", { Name: name, SecretString: "other" }));
    assert.ok(taken instanceof sm.ResourceExistsException);
    const long = call("CreateSecret", { Name: "x".repeat(513), SecretString: "one" });
    assert.match(await refused(long), /^(InvalidParameter|Validation)Exception$/);
    const both = { SecretId: name, RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true };
    assert.ok((await refusal(call("DeleteSecret", both))) instanceof sm.InvalidParameterException);
    const { VersionId } = await value(name);
    const mismatch = value(name, { VersionId, VersionStage: "AWSPREVIOUS" });
    assert.equal(await refused(mismatch), "InvalidRequestException");
});

test("a wrong key, an unknown key and another region are refused", async () => {
    const SecretId = await secret();
    const forged = call("GetSecretValue", { SecretId }, client("testid", "not-testsecret"));
    assert.match(await refused(forged), /^(InvalidSignatureException|SignatureDoesNotMatch)$/);
    const stranger = call("GetSecretValue", { SecretId }, client("nobody"));
    assert.match(await refused(stranger), /^(UnrecognizedClientException|InvalidClientTokenId)$/);
    const elsewhere = call("GetSecretValue", { SecretId }, client("testid", "testsecret", "eu-west-1"));
    assert.match(await refused(elsewhere), /^(InvalidSignatureException|SignatureDoesNotMatch)$/);
    const theirs = call("GetSecretValue", { SecretId }, client("testid2", "testsecret2"));
    assert.equal(await refused(theirs), "ResourceNotFoundException");
});

test("a client whose clock is off learns the service's time", async () => {
    const name = await secret();
    await aws.advance((5 * DAY) / 1000);
    const late = client();
    assert.match(await refused(call("DescribeSecret", { SecretId: name }, late)), /Signature|RequestExpired/);
    // It has read the time of day from the answer, and signs with that from now on.
    assert.equal((await call("DescribeSecret", { SecretId: name }, late)).Name, name);
});
