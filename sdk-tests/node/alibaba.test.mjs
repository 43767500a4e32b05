// Alibaba Cloud KMS: what a user of @alicloud/openapi-client's generic calls sees, in both of its
// ways of signing.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import openapi from "@alicloud/openapi-client";
import util from "@alicloud/tea-util";
import { emulator, fresh, refusal } from "./emulators.mjs";

const alibaba = emulator("alibaba");
beforeEach(() => alibaba.reset());

const INSTANCE = JSON.stringify({ SecretSubType: "SingleUser", DBInstanceId: "rm-bp1b3dd3a506e" });
const ACCOUNT = { AccountName: "app", AccountPassword: "First-1 password+/%" };

describe("ACS3-HMAC-SHA256", () => suite());
describe("HMAC-SHA1", () => suite("v2"));

function suite(signatureAlgorithm) {
    const client = (accessKeyId = "testid", accessKeySecret = "testsecret") =>
        new openapi.default(
            new openapi.Config({
                accessKeyId,
                accessKeySecret,
                endpoint: alibaba.address,
                protocol: "HTTP",
                regionId: "cn-hangzhou",
                ...(signatureAlgorithm && { signatureAlgorithm }),
            }),
        );
    const sdk = client();

    const call = async (action, query, body, by = sdk) => {
        const params = new openapi.Params({
            action,
            version: "2016-01-20",
            protocol: "HTTPS",
            pathname: "/",
            method: "POST",
            authType: "AK",
            style: "RPC",
            reqBodyType: "formData",
            bodyType: "json",
        });
        const runtime = new util.RuntimeOptions({ connectTimeout: 5_000, readTimeout: 20_000 });
        const answer = await by.callApi(params, new openapi.OpenApiRequest({ query, body }), runtime);
        assert.equal(answer.statusCode, 200);
        assert.ok(answer.body.RequestId);
        return answer.body;
    };

    const refused = async (promise) => {
        const error = await refusal(promise);
        assert.ok(error.data.RequestId && error.message, String(error));
        return [error.data.statusCode, error.code];
    };

    /** A managed secret, which can rotate, at version v1. */
    const rds = async () => {
        const SecretName = `${fresh("rds")}/@1`;
        const query = { SecretName, VersionId: "v1", SecretType: "Rds", ExtendedConfig: INSTANCE };
        const made = await call("CreateSecret", query, { SecretData: JSON.stringify({ Accounts: [ACCOUNT] }) });
        assert.deepEqual([made.SecretName, made.VersionId, made.SecretType], [SecretName, "v1", "Rds"]);
        return SecretName;
    };

    /** A secret whose value its owner keeps, at version v1. */
    const generic = async (SecretData = "one") => {
        const SecretName = fresh("generic");
        await call("CreateSecret", { SecretName, VersionId: "v1" }, { SecretData });
        return SecretName;
    };

    const value = (SecretName, version = {}) => call("GetSecretValue", { SecretName, ...version });
    const versions = async (SecretName) => {
        const query = { SecretName, IncludeDeprecated: "true", PageSize: 100 };
        const listed = await call("ListSecretVersionIds", query);
        return Object.fromEntries(
            listed.VersionIds.VersionId.map((entry) => [entry.VersionId, entry.VersionStages.VersionStage]),
        );
    };

    test("a rotation makes a new current version", async () => {
        const SecretName = await rds();
        const before = await value(SecretName);
        assert.deepEqual(JSON.parse(before.SecretData), ACCOUNT);
        const rotated = await call("RotateSecret", { SecretName, VersionId: "v2" });
        assert.deepEqual([rotated.SecretName, rotated.VersionId], [SecretName, "v2"]);
        const after = await value(SecretName);
        assert.equal(after.VersionId, "v2");
        const read = JSON.parse(after.SecretData);
        assert.equal(read.AccountName, ACCOUNT.AccountName);
        assert.notEqual(read.AccountPassword, ACCOUNT.AccountPassword);
        const previous = await value(SecretName, { VersionStage: "ACSPrevious" });
        assert.equal(previous.SecretData, before.SecretData);
        assert.deepEqual(await versions(SecretName), { v1: ["ACSPrevious"], v2: ["ACSCurrent"] });
    });

    test("a known version id succeeds and moves nothing", async () => {
        const SecretName = await rds();
        const first = await call("RotateSecret", { SecretName, VersionId: "v2" });
        const secret = (await value(SecretName)).SecretData;
        const again = await call("RotateSecret", { SecretName, VersionId: "v2" });
        assert.notEqual(again.RequestId, first.RequestId);
        assert.equal(again.VersionId, "v2");
        assert.equal((await value(SecretName)).SecretData, secret);
        assert.deepEqual(await versions(SecretName), { v1: ["ACSPrevious"], v2: ["ACSCurrent"] });
    });

    test("a policy reads back in seconds, and a bad one changes nothing", async () => {
        const SecretName = await rds();
        const policy = { SecretName, EnableAutomaticRotation: true, RotationInterval: "30d" };
        await call("UpdateSecretRotationPolicy", policy);
        const read = await call("DescribeSecret", { SecretName });
        assert.deepEqual([read.AutomaticRotation, read.RotationInterval], ["Enabled", "2592000s"]);
        for (const RotationInterval of ["366d", "1h", "7x"]) {
            const [status] = await refused(call("UpdateSecretRotationPolicy", { ...policy, RotationInterval }));
            assert.ok(400 <= status && status < 500);
        }
        const off = { SecretName, EnableAutomaticRotation: false };
        assert.equal((await call("DescribeSecret", { SecretName })).RotationInterval, "2592000s");
        await call("UpdateSecretRotationPolicy", off);
        assert.equal((await call("DescribeSecret", { SecretName })).AutomaticRotation, "Disabled");
    });

    test("a generic secret takes values and no rotation", async () => {
        const SecretName = await generic();
        const text = "two & a half=+%/~* 凭据\n";
        await call("PutSecretValue", { SecretName, VersionId: "v2" }, { SecretData: text });
        assert.equal((await value(SecretName)).SecretData, text);
        const [status] = await refused(call("RotateSecret", { SecretName, VersionId: "v3" }));
        assert.ok(400 <= status && status < 500);
        assert.deepEqual(await versions(SecretName), { v1: ["ACSPrevious"], v2: ["ACSCurrent"] });
    });

    test("the biggest value comes back as it went", async () => {
        const text = "a b+c%/=&~*\"'\\{}()!\n".repeat(2_000).slice(0, 30_720);
        assert.equal((await value(await generic(text))).SecretData, text);
    });

    test("a deleted secret waits, returns and goes", async () => {
        const SecretName = await rds();
        const deleted = await call("DeleteSecret", { SecretName, RecoveryWindowInDays: "7" });
        const read = await call("DescribeSecret", { SecretName });
        assert.equal(read.PlannedDeleteTime, deleted.PlannedDeleteTime);
        await call("RestoreSecret", { SecretName });
        await call("RotateSecret", { SecretName, VersionId: "v2" });
        await call("DeleteSecret", { SecretName, ForceDeleteWithoutRecovery: "true" });
        const gone = await refused(call("DescribeSecret", { SecretName }));
        assert.deepEqual(gone, [404, "Forbidden.ResourceNotFound"]);
    });

    test("refusals carry the code of the service", async () => {
        const SecretName = await rds();
        const unknown = { SecretName: fresh("unknown"), VersionId: "v2" };
        assert.deepEqual(await refused(call("RotateSecret", unknown)), [404, "Forbidden.ResourceNotFound"]);
        const taken = call("CreateSecret", { SecretName, VersionId: "v1" }, { SecretData: "other" });
        assert.equal((await refused(taken))[1], "Rejected.ResourceExist");
        const versionless = await refused(call("RotateSecret", { SecretName }));
        assert.equal(versionless[0], 400);

        const rotation = { SecretName, VersionId: "v2" };
        const forged = call("RotateSecret", rotation, undefined, client("testid", "not-testsecret"));
        assert.deepEqual(await refused(forged), [400, "SignatureDoesNotMatch"]);
        const stranger = call("RotateSecret", rotation, undefined, client("nobody"));
        assert.equal((await refused(stranger))[1], "InvalidAccessKeyId.NotFound");
        assert.deepEqual(await versions(SecretName), { v1: ["ACSCurrent"] });
    });
}
