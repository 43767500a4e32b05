"""Tencent Cloud SSM: what a user of the official SDK sees, in each of its four ways of signing."""

import json
import re
from types import SimpleNamespace

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.ssm.v20190923 import models
from tencentcloud.ssm.v20190923.ssm_client import SsmClient

VENDOR = "tencent"
REGION = "ap-guangzhou"
MODES = {
    "tc3-post": ("TC3-HMAC-SHA256", "POST"),
    "tc3-get": ("TC3-HMAC-SHA256", "GET"),
    "v1-sha1-post": ("HmacSHA1", "POST"),
    "v1-sha1-get": ("HmacSHA1", "GET"),
    "v1-sha256-post": ("HmacSHA256", "POST"),
    "v1-sha256-get": ("HmacSHA256", "GET"),
}
PRODUCT = {
    "UserNamePrefix": "app",
    "ProductName": "Mysql",
    "InstanceID": "cdb-rotaprb1",
    "Domains": ["10.0.0.1", "%"],
    "PrivilegesList": [{"PrivilegeName": "GlobalPrivileges", "Privileges": ["SELECT", "INSERT"]}],
}


class Sdk:
    """A call takes the names of the API and gives the SDK's own response."""

    def __init__(self, address, mode, key_id="testid", key_secret="testsecret"):
        self.address, self.mode = address, mode
        method, verb = MODES[mode]
        http = HttpProfile(protocol="http", endpoint=address, reqMethod=verb, reqTimeout=20)
        profile = ClientProfile(signMethod=method, httpProfile=http)
        self.client = SsmClient(Credential(key_id, key_secret), REGION, profile)

    def as_other(self, **credentials):
        return Sdk(self.address, self.mode, **credentials)

    def call(self, action, **parameters):
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(parameters))
        response = getattr(self.client, action)(request)
        assert response.RequestId
        return response


@pytest.fixture(params=MODES)
def sdk(request, emulator):
    return Sdk(emulator.address, request.param)


@pytest.fixture
def product(sdk, emulator, name):
    """A database's secret, which can rotate and does so by itself."""
    created = sdk.call(
        "CreateProductSecret",
        SecretName=name,
        EnableRotation=True,
        RotationBeginTime="2030-01-02 03:04:05",
        RotationFrequency=30,
        **PRODUCT,
    )
    assert created.SecretName == name
    assert task(sdk, emulator, created.FlowID) == 1
    return name


@pytest.fixture
def plain(sdk, name):
    """A secret whose value its owner keeps, which cannot rotate, at version v1."""
    created = sdk.call("CreateSecret", SecretName=name, VersionId="v1", SecretString="one")
    assert (created.SecretName, created.VersionId) == (name, "v1")
    return name


def task(sdk, emulator, flow):
    """What became of a task, once it has had the time that it takes."""
    assert isinstance(flow, int)
    emulator.advance(3)
    return sdk.call("DescribeAsyncRequestInfo", FlowID=flow).TaskStatus


def rotate(sdk, emulator, name):
    assert task(sdk, emulator, sdk.call("RotateProductSecret", SecretName=name).FlowID) == 1


def value(sdk, name, version="SSM_Current"):
    return sdk.call("GetSecretValue", SecretName=name, VersionId=version).SecretString


def account(sdk, name, version="SSM_Current"):
    read = json.loads(value(sdk, name, version))
    assert set(read) == {"UserName", "Password"} and all(read.values())
    return SimpleNamespace(**read)


def refusal(call, *arguments, **parameters):
    with pytest.raises(TencentCloudSDKException) as caught:
        call(*arguments, **parameters)
    assert caught.value.get_request_id()
    return caught.value.get_code()


def test_a_rotation_is_a_task_that_ends_in_a_new_value(sdk, emulator, product):
    before = account(sdk, product)
    flow = sdk.call("RotateProductSecret", SecretName=product).FlowID
    assert sdk.call("DescribeAsyncRequestInfo", FlowID=flow).TaskStatus in (0, 1)
    assert task(sdk, emulator, flow) == 1
    after = account(sdk, product)
    assert after.Password != before.Password
    # Two accounts of one prefix take turns.
    assert after.UserName != before.UserName
    assert after.UserName.startswith("app") and before.UserName.startswith("app")


def test_what_was_rotated_out_stays_readable_under_its_time(sdk, emulator, product):
    values = [value(sdk, product)]
    for _ in range(2):
        rotate(sdk, emulator, product)
        values.append(value(sdk, product))
    assert len(set(values)) == 3
    history = sdk.call("DescribeRotationHistory", SecretName=product)
    dated = [version for version in history.VersionIDs if version != "SSM_Current"]
    assert all(re.fullmatch(r"SSM_Rotate_\d{14}", version) for version in dated)
    assert {value(sdk, product, version) for version in dated} >= set(values[:-1])


def test_a_description_tells_what_was_created(sdk, emulator, product):
    read = sdk.call("DescribeSecret", SecretName=product)
    assert (read.SecretName, read.SecretType, read.Status) == (product, 1, "Enabled")
    assert (read.RotationStatus, read.RotationFrequency) == (True, 30)
    assert read.CreateTime > 0 and read.DeleteTime == 0
    assert isinstance(read.Description, str) and isinstance(read.CreateUin, int)


def test_the_policy_reads_back_and_bad_ones_change_nothing(sdk, product):
    policy = {"SecretName": product, "EnableRotation": True, "Frequency": 90}
    sdk.call("UpdateRotationStatus", RotationBeginTime="2030-12-01 03:04:05", **policy)
    read = sdk.call("DescribeRotationDetail", SecretName=product)
    assert (read.EnableRotation, read.Frequency) == (True, 90)
    for bad in [29, 366]:
        code = refusal(sdk.call, "UpdateRotationStatus", **policy | {"Frequency": bad})
        assert code.partition(".")[0] in ("InvalidParameterValue", "InvalidParameter"), bad
    assert sdk.call("DescribeRotationDetail", SecretName=product).Frequency == 90

    sdk.call("UpdateRotationStatus", SecretName=product, EnableRotation=False)
    assert sdk.call("DescribeRotationDetail", SecretName=product).EnableRotation is False


def test_a_plain_secret_takes_versions_and_no_rotation(sdk, plain):
    text = "two & a half=+%/~ 凭据\n"
    put = sdk.call("PutSecretValue", SecretName=plain, VersionId="v2", SecretString=text)
    assert (put.SecretName, put.VersionId) == (plain, "v2")
    assert value(sdk, plain, "v1") == "one" and value(sdk, plain, "v2") == text
    listed = sdk.call("ListSecretVersionIds", SecretName=plain)
    assert {entry.VersionId for entry in listed.Versions} == {"v1", "v2"}
    assert all(entry.CreateTime > 0 for entry in listed.Versions)

    assert refusal(sdk.call, "RotateProductSecret", SecretName=plain) == "UnsupportedOperation"
    code = refusal(sdk.call, "PutSecretValue", SecretName=plain, VersionId="v2", SecretString="three")
    assert code == "ResourceInUse.VersionIdExists"
    assert value(sdk, plain, "v2") == text
    assert refusal(sdk.call, "GetSecretValue", SecretName=plain, VersionId="v9") == "ResourceNotFound"


def test_a_secret_that_rotates_takes_no_values(sdk, product):
    code = refusal(sdk.call, "PutSecretValue", SecretName=product, VersionId="mine", SecretString="mine")
    assert code == "OperationDenied.AutoRotatedResource"


def test_a_name_is_taken_once(sdk, plain):
    code = refusal(sdk.call, "CreateSecret", SecretName=plain, VersionId="v1", SecretString="other")
    assert code == "ResourceInUse.SecretExists"
    assert value(sdk, plain, "v1") == "one"


def test_lists_show_what_there_is(sdk, name):
    names = [f"{name}-{at}" for at in range(3)]
    for each in names:
        sdk.call("CreateSecret", SecretName=each, VersionId="v1", SecretString="one")
    listed = sdk.call("ListSecrets", Limit=2)
    assert listed.TotalCount == 3 and len(listed.SecretMetadatas) == 2
    rest = sdk.call("ListSecrets", Limit=2, Offset=2)
    shown = [entry.SecretName for entry in listed.SecretMetadatas + rest.SecretMetadatas]
    assert sorted(shown) == sorted(names)


def test_a_disabled_secret_is_deleted_restored_and_gone(sdk, emulator, product):
    assert refusal(sdk.call, "DeleteSecret", SecretName=product, RecoveryWindowInDays=7)
    sdk.call("DisableSecret", SecretName=product)
    assert sdk.call("DescribeSecret", SecretName=product).Status == "Disabled"
    code = refusal(sdk.call, "GetSecretValue", SecretName=product, VersionId="SSM_Current")
    assert code == "ResourceUnavailable.ResourceDisabled"
    code = refusal(sdk.call, "RotateProductSecret", SecretName=product)
    assert code == "ResourceUnavailable.ResourceDisabled"

    deleted = sdk.call("DeleteSecret", SecretName=product, RecoveryWindowInDays=7)
    assert deleted.DeleteTime > 0
    read = sdk.call("DescribeSecret", SecretName=product)
    assert (read.Status, read.DeleteTime) == ("PendingDelete", deleted.DeleteTime)
    code = refusal(sdk.call, "GetSecretValue", SecretName=product, VersionId="SSM_Current")
    assert code == "ResourceUnavailable.ResourcePendingDeleted"
    sdk.call("RestoreSecret", SecretName=product)
    assert sdk.call("DescribeSecret", SecretName=product).Status == "Disabled"
    sdk.call("EnableSecret", SecretName=product)
    rotate(sdk, emulator, product)

    sdk.call("DisableSecret", SecretName=product)
    sdk.call("DeleteSecret", SecretName=product)
    assert refusal(sdk.call, "DescribeSecret", SecretName=product) == "ResourceNotFound"


@pytest.mark.parametrize("action", ["RotateProductSecret", "DescribeSecret", "DisableSecret", "DeleteSecret"])
def test_an_unknown_secret_is_not_found(sdk, name, action):
    assert refusal(sdk.call, action, SecretName=name) == "ResourceNotFound"


def test_a_name_of_the_wrong_form_is_refused(sdk):
    for bad in ["-begins-with-a-dash", "has a blank", "x" * 129]:
        code = refusal(sdk.call, "CreateSecret", SecretName=bad, VersionId="v1", SecretString="one")
        assert code.partition(".")[0] in ("InvalidParameterValue", "InvalidParameter"), bad


def test_a_parameter_that_is_left_out_is_missed(sdk):
    assert refusal(sdk.call, "RotateProductSecret") == "MissingParameter"


def test_a_wrong_secret_key_is_told_as_such(sdk, product):
    stranger = sdk.as_other(key_secret="not-testsecret")
    assert refusal(stranger.call, "RotateProductSecret", SecretName=product) == "AuthFailure.SignatureFailure"


def test_an_unknown_key_is_told_as_such(sdk, product):
    stranger = sdk.as_other(key_id="nobody")
    assert refusal(stranger.call, "RotateProductSecret", SecretName=product) == "AuthFailure.SecretIdNotFound"


def test_a_clock_that_is_off_is_told_as_such(sdk, emulator, product):
    emulator.advance(900)
    assert refusal(sdk.call, "RotateProductSecret", SecretName=product) == "AuthFailure.SignatureExpire"


def test_names_end_at_the_border_of_the_account(sdk, product):
    other = sdk.as_other(key_id="testid2", key_secret="testsecret2")
    assert refusal(other.call, "RotateProductSecret", SecretName=product) == "ResourceNotFound"
    code = refusal(other.call, "GetSecretValue", SecretName=product, VersionId="SSM_Current")
    assert code.startswith("ResourceNotFound")
