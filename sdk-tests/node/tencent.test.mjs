// Tencent Cloud SSM: what a user of tencentcloud-sdk-nodejs-ssm sees, in each of its ways of signing.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import tencentcloud from "tencentcloud-sdk-nodejs-ssm";
import { emulator, fresh, refusal } from "./emulators.mjs";

const tencent = emulator("tencent");
beforeEach(() => tencent.reset());

const PRODUCT = {
    UserNamePrefix: "app",
    ProductName: "Mysql",
    InstanceID: "cdb-rotaprb1",
    Domains: ["10.0.0.1", "%"],
    PrivilegesList: [{ PrivilegeName: "GlobalPrivileges", Privileges: ["SELECT", "INSERT"] }],
};

for (const signMethod of ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"]) {
    for (const reqMethod of ["POST", "GET"]) {
        describe(`${signMethod} ${reqMethod}`, () => suite({ signMethod, reqMethod }));
    }
}

function suite({ signMethod, reqMethod }) {
    const client = (secretId = "testid", secretKey = "testsecret") =>
        new tencentcloud.ssm.v20190923.Client({
            credential: { secretId, secretKey },
            region: "ap-guangzhou",
            profile: {
                signMethod,
                httpProfile: { protocol: "http://", endpoint: tencent.address, reqMethod, reqTimeout: 20 },
            },
        });
    const sdk = client();
    const code = async (call) => {
        const error = await refusal(call);
        assert.ok(error.requestId && error.message);
        return error.code;
    };
    const value = async (SecretName, VersionId = "SSM_Current") =>
        (await sdk.GetSecretValue({ SecretName, VersionId })).SecretString;

    /** A task that has had the time that it takes. */
    const ended = async ({ FlowID }) => {
        await tencent.advance(3);
        assert.equal((await sdk.DescribeAsyncRequestInfo({ FlowID })).TaskStatus, 1);
    };

    /** A database's secret, which can rotate. */
    const product = async () => {
        const SecretName = fresh("product");
        const RotationBeginTime = "2030-01-02 03:04:05";
        const rotation = { EnableRotation: true, RotationFrequency: 30, RotationBeginTime };
        await ended(await sdk.CreateProductSecret({ SecretName, ...rotation, ...PRODUCT }));
        return SecretName;
    };

    /** A secret whose value its owner keeps, at version v1. */
    const plain = async () => {
        const SecretName = fresh("plain");
        const made = await sdk.CreateSecret({ SecretName, VersionId: "v1", SecretString: "one" });
        assert.deepEqual([made.SecretName, made.VersionId], [SecretName, "v1"]);
        return SecretName;
    };

    test("a rotation is a task that ends in a new value", async () => {
        const SecretName = await product();
        const before = JSON.parse(await value(SecretName));
        const rotated = await sdk.RotateProductSecret({ SecretName });
        assert.ok(Number.isInteger(rotated.FlowID) && rotated.RequestId);
        await ended(rotated);
        const after = JSON.parse(await value(SecretName));
        assert.notEqual(after.Password, before.Password);
        assert.notEqual(after.UserName, before.UserName);
        const history = await sdk.DescribeRotationHistory({ SecretName });
        const old = history.VersionIDs.find((id) => id.startsWith("SSM_Rotate_"));
        assert.deepEqual(JSON.parse(await value(SecretName, old)), before);
    });

    test("a description tells what was created", async () => {
        const SecretName = await product();
        const read = await sdk.DescribeSecret({ SecretName });
        assert.deepEqual([read.SecretType, read.Status, read.RotationStatus], [1, "Enabled", true]);
        assert.equal(read.RotationFrequency, 30);
    });

    test("the policy reads back, and a bad one changes nothing", async () => {
        const SecretName = await product();
        await sdk.UpdateRotationStatus({ SecretName, EnableRotation: true, Frequency: 90 });
        for (const Frequency of [29, 366]) {
            const bad = sdk.UpdateRotationStatus({ SecretName, EnableRotation: true, Frequency });
            assert.match(await code(bad), /^InvalidParameter/);
        }
        const read = await sdk.DescribeRotationDetail({ SecretName });
        assert.deepEqual([read.EnableRotation, read.Frequency], [true, 90]);
        await sdk.UpdateRotationStatus({ SecretName, EnableRotation: false });
        assert.equal((await sdk.DescribeRotationDetail({ SecretName })).EnableRotation, false);
    });

    test("a plain secret takes versions and no rotation", async () => {
        const SecretName = await plain();
        const text = "two & a half=+%/~ 凭据\n";
        await sdk.PutSecretValue({ SecretName, VersionId: "v2", SecretString: text });
        assert.equal(await value(SecretName, "v1"), "one");
        assert.equal(await value(SecretName, "v2"), text);
        const listed = await sdk.ListSecretVersionIds({ SecretName });
        assert.deepEqual(listed.Versions.map((entry) => entry.VersionId).sort(), ["v1", "v2"]);

        assert.equal(await code(sdk.RotateProductSecret({ SecretName })), "UnsupportedOperation");
        const again = { SecretName, VersionId: "v2", SecretString: "three" };
        assert.equal(await code(sdk.PutSecretValue(again)), "ResourceInUse.VersionIdExists");
        assert.equal(await value(SecretName, "v2"), text);
    });

    test("a name is taken once", async () => {
        const SecretName = await plain();
        const again = sdk.CreateSecret({ SecretName, VersionId: "v1", SecretString: "other" });
        assert.equal(await code(again), "ResourceInUse.SecretExists");
        assert.equal((await sdk.ListSecrets({ Limit: 10 })).TotalCount, 1);
    });

    test("a disabled secret is deleted, restored, and gone", async () => {
        const SecretName = await product();
        await sdk.DisableSecret({ SecretName });
        assert.equal(await code(value(SecretName)), "ResourceUnavailable.ResourceDisabled");
        await sdk.DeleteSecret({ SecretName, RecoveryWindowInDays: 7 });
        assert.equal((await sdk.DescribeSecret({ SecretName })).Status, "PendingDelete");
        await sdk.RestoreSecret({ SecretName });
        await sdk.DeleteSecret({ SecretName, RecoveryWindowInDays: 0 });
        assert.equal(await code(sdk.DescribeSecret({ SecretName })), "ResourceNotFound");
    });

    test("refusals carry the code of the service", async () => {
        const SecretName = await product();
        const unknown = { SecretName: fresh("unknown") };
        assert.equal(await code(sdk.RotateProductSecret(unknown)), "ResourceNotFound");
        assert.equal(await code(sdk.DescribeSecret(unknown)), "ResourceNotFound");
        assert.equal(await code(sdk.RotateProductSecret({})), "MissingParameter");
        const odd = { SecretName: "has a blank", VersionId: "v1", SecretString: "one" };
        assert.match(await code(sdk.CreateSecret(odd)), /^InvalidParameter/);
        const forged = client("testid", "not-testsecret").RotateProductSecret({ SecretName });
        assert.equal(await code(forged), "AuthFailure.SignatureFailure");
        const stranger = client("nobody").RotateProductSecret({ SecretName });
        assert.equal(await code(stranger), "AuthFailure.SecretIdNotFound");
        const other = client("testid2", "testsecret2").RotateProductSecret({ SecretName });
        assert.equal(await code(other), "ResourceNotFound");
        await tencent.advance(900);
        assert.equal(await code(sdk.RotateProductSecret({ SecretName })), "AuthFailure.SignatureExpire");
    });
}
