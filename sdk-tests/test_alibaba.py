"""Alibaba Cloud KMS: what a user of the official SDKs sees of secrets and their rotation."""

import json
import os
import re
from itertools import count

import pytest

from alibaba_clients import CLIENTS, OldSdk, Refused

BIGGEST = 30_720
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
INSTANCE = {"SecretSubType": "SingleUser", "DBInstanceId": "rm-bp1b3dd3a506e"}
ACCOUNT = {"Accounts": [{"AccountName": "app", "AccountPassword": "First-1 password+/%"}]}

numbers = count(1)


@pytest.fixture(scope="session")
def address():
    return os.environ.get("ROTAPROBE_ALIBABA") or pytest.exit("no emulator: start the tests with sdk-tests/run", 2)


@pytest.fixture(params=CLIENTS)
def sdk(request, address):
    return CLIENTS[request.param](address)


@pytest.fixture
def name(request, sdk):
    """A secret name that no other test uses, with a character that needs encoding."""
    return f"sdk/{type(sdk).__name__}/{request.node.originalname}@{next(numbers)}"


@pytest.fixture
def rds(sdk, name):
    """A managed secret, which can rotate, at version v1."""
    created = sdk.call(
        "CreateSecret",
        SecretName=name,
        VersionId="v1",
        SecretType="Rds",
        SecretData=json.dumps(ACCOUNT),
        ExtendedConfig=sdk.config(INSTANCE),
    )
    assert (created["SecretName"], created["VersionId"]) == (name, "v1")
    assert created["SecretType"] == "Rds"
    assert created["AutomaticRotation"] == "Disabled"
    assert created["RequestId"] and is_arn(created["Arn"], name)
    return name


@pytest.fixture
def generic(sdk, name):
    """A secret whose value its owner keeps, which cannot rotate, at version v1."""
    created = sdk.call("CreateSecret", SecretName=name, VersionId="v1", SecretData="one")
    assert created["SecretType"] == "Generic"
    return name


def is_arn(arn, name):
    return re.fullmatch(rf"acs:kms:[^:]+:[^:]+:secret/{re.escape(name)}", arn)


def value(sdk, name, stage=None):
    parameters = {"VersionStage": stage} if stage else {}
    return sdk.call("GetSecretValue", SecretName=name, **parameters)


def versions(sdk, name):
    """Every version with its stages."""
    listed = sdk.call("ListSecretVersionIds", SecretName=name, IncludeDeprecated="true", PageSize=100)
    entries = listed["VersionIds"]["VersionId"]
    assert listed["TotalCount"] == len(entries)
    stages = {entry["VersionId"]: entry.get("VersionStages", {}).get("VersionStage", []) for entry in entries}
    assert len(stages) == len(entries), "a version is listed twice"
    return stages


def refusal(call, *arguments, **parameters):
    with pytest.raises(Refused) as caught:
        call(*arguments, **parameters)
    assert caught.value.code and caught.value.request_id
    return caught.value


def test_a_rotation_makes_a_new_current_version(sdk, rds):
    before = value(sdk, rds)
    assert before["VersionId"] == "v1" and "LastRotationDate" not in before
    rotated = sdk.call("RotateSecret", SecretName=rds, VersionId="v2")
    assert set(rotated) == {"Arn", "SecretName", "VersionId", "RequestId"}
    assert (rotated["SecretName"], rotated["VersionId"]) == (rds, "v2")
    assert is_arn(rotated["Arn"], rds)

    current, previous = value(sdk, rds), value(sdk, rds, "ACSPrevious")
    assert (current["VersionId"], current["VersionStages"]) == ("v2", {"VersionStage": ["ACSCurrent"]})
    assert (previous["VersionId"], previous["VersionStages"]) == ("v1", {"VersionStage": ["ACSPrevious"]})
    assert value(sdk, rds, "ACSCurrent")["SecretData"] == current["SecretData"]
    assert previous["SecretData"] == before["SecretData"] != current["SecretData"]
    assert TIME.fullmatch(current["LastRotationDate"])
    assert versions(sdk, rds) == {"v1": ["ACSPrevious"], "v2": ["ACSCurrent"]}


def test_a_rotated_value_names_the_same_account_with_another_password(sdk, rds):
    first = json.loads(value(sdk, rds)["SecretData"])
    assert first == ACCOUNT["Accounts"][0]
    sdk.call("RotateSecret", SecretName=rds, VersionId="v2")
    second = json.loads(value(sdk, rds)["SecretData"])
    assert set(second) == {"AccountName", "AccountPassword"}
    assert second["AccountName"] == first["AccountName"]
    assert second["AccountPassword"] not in ("", first["AccountPassword"])


def test_a_known_version_id_succeeds_and_moves_nothing(sdk, rds):
    first = sdk.call("RotateSecret", SecretName=rds, VersionId="v2")
    listed, secret = versions(sdk, rds), value(sdk, rds)["SecretData"]
    again = sdk.call("RotateSecret", SecretName=rds, VersionId="v2")
    assert again.pop("RequestId") != first.pop("RequestId")
    assert again == first
    assert versions(sdk, rds) == listed
    assert value(sdk, rds)["SecretData"] == secret

    sdk.call("RotateSecret", SecretName=rds, VersionId="v3")
    moved = versions(sdk, rds)
    assert moved["v3"] == ["ACSCurrent"] and moved["v2"] == ["ACSPrevious"]
    sdk.call("RotateSecret", SecretName=rds, VersionId="v2")
    assert versions(sdk, rds) == moved


def test_a_policy_reads_back_in_seconds(sdk, rds):
    policy = {"SecretName": rds, "EnableAutomaticRotation": True, "RotationInterval": "30d"}
    answer = sdk.call("UpdateSecretRotationPolicy", **policy)
    assert set(answer) == {"SecretName", "RequestId"} and answer["SecretName"] == rds
    read = sdk.call("DescribeSecret", SecretName=rds)
    assert (read["AutomaticRotation"], read["RotationInterval"]) == ("Enabled", "2592000s")
    assert TIME.fullmatch(read["NextRotationDate"])

    for bad in ["366d", "1h", "7x", ""]:
        refused = refusal(sdk.call, "UpdateSecretRotationPolicy", **policy | {"RotationInterval": bad})
        assert 400 <= refused.status < 500, bad
    after = sdk.call("DescribeSecret", SecretName=rds)
    for field in ["AutomaticRotation", "RotationInterval", "NextRotationDate"]:
        assert after[field] == read[field]


def test_a_policy_that_is_off_ignores_its_interval(sdk, rds):
    policy = {"SecretName": rds, "EnableAutomaticRotation": True, "RotationInterval": "28d"}
    sdk.call("UpdateSecretRotationPolicy", **policy)
    policy |= {"EnableAutomaticRotation": False, "RotationInterval": "no interval at all"}
    assert sdk.call("UpdateSecretRotationPolicy", **policy)["SecretName"] == rds
    assert sdk.call("DescribeSecret", SecretName=rds)["AutomaticRotation"] == "Disabled"


def test_describe_tells_what_was_created(sdk, rds):
    read = sdk.call("DescribeSecret", SecretName=rds)
    assert (read["SecretName"], read["SecretType"], read["AutomaticRotation"]) == (rds, "Rds", "Disabled")
    assert json.loads(read["ExtendedConfig"]).items() >= INSTANCE.items()
    assert is_arn(read["Arn"], rds) and TIME.fullmatch(read["CreateTime"])
    assert "LastRotationDate" not in read and "PlannedDeleteTime" not in read


def test_a_generic_secret_takes_values_and_no_rotation(sdk, generic):
    put = sdk.call("PutSecretValue", SecretName=generic, VersionId="v2", SecretData="two & a half=+%")
    assert (put["VersionId"], put["VersionStages"]) == ("v2", {"VersionStage": ["ACSCurrent"]})
    listed = versions(sdk, generic)
    assert listed == {"v1": ["ACSPrevious"], "v2": ["ACSCurrent"]}
    assert value(sdk, generic)["SecretData"] == "two & a half=+%"
    assert value(sdk, generic, "ACSPrevious")["SecretData"] == "one"
    assert sdk.call("GetSecretValue", SecretName=generic, VersionId="v1")["SecretData"] == "one"

    refused = refusal(sdk.call, "RotateSecret", SecretName=generic, VersionId="v3")
    assert 400 <= refused.status < 500
    policy = {"SecretName": generic, "EnableAutomaticRotation": True, "RotationInterval": "30d"}
    assert 400 <= refusal(sdk.call, "UpdateSecretRotationPolicy", **policy).status < 500
    assert versions(sdk, generic) == listed


# The second is the longest request there is: three bytes a character, nine once encoded.
@pytest.mark.parametrize("piece", ["a b+c%/=&~*\"\\{}\n", "凭"], ids=["marks", "wide"])
def test_the_biggest_value_comes_back_as_it_went(sdk, name, piece):
    data = (piece * BIGGEST).encode()[:BIGGEST].decode()
    assert len(data.encode()) == BIGGEST
    sdk.call("CreateSecret", SecretName=name, VersionId="v1", SecretData=data)
    assert value(sdk, name)["SecretData"] == data
    sdk.call("PutSecretValue", SecretName=name, VersionId="v2", SecretData=data[::-1])
    assert value(sdk, name)["SecretData"] == data[::-1]
    # The limit is documented where a secret is created, and only there.
    other = f"{name}-more"
    refused = refusal(sdk.call, "CreateSecret", SecretName=other, VersionId="v1", SecretData=data + "x")
    assert 400 <= refused.status < 500
    assert refusal(sdk.call, "DescribeSecret", SecretName=other).status == 404


def test_random_passwords(sdk):
    plain = sdk.call("GetRandomPassword")
    assert len(plain["RandomPassword"]) == 32 and plain["RequestId"]
    assert sdk.call("GetRandomPassword")["RandomPassword"] != plain["RandomPassword"]
    only = {"ExcludeUppercase": "true", "ExcludePunctuation": "true", "ExcludeCharacters": "abc123"}
    strict = sdk.call("GetRandomPassword", PasswordLength="64", **only)["RandomPassword"]
    assert re.fullmatch(r"[d-z04-9]{64}", strict)


def test_a_deleted_secret_waits_returns_and_goes(sdk, rds):
    deleted = sdk.call("DeleteSecret", SecretName=rds, RecoveryWindowInDays="7")
    assert deleted["SecretName"] == rds and TIME.match(deleted["PlannedDeleteTime"])
    assert sdk.call("DescribeSecret", SecretName=rds)["PlannedDeleteTime"] == deleted["PlannedDeleteTime"]
    assert sdk.call("RestoreSecret", SecretName=rds)["SecretName"] == rds
    assert "PlannedDeleteTime" not in sdk.call("DescribeSecret", SecretName=rds)
    sdk.call("RotateSecret", SecretName=rds, VersionId="v2")

    assert sdk.call("DeleteSecret", SecretName=rds, ForceDeleteWithoutRecovery="true")["SecretName"] == rds
    gone = refusal(sdk.call, "DescribeSecret", SecretName=rds)
    assert (gone.status, gone.code) == (404, "Forbidden.ResourceNotFound")


@pytest.mark.parametrize("action", ["RotateSecret", "GetSecretValue", "DescribeSecret"])
def test_an_unknown_secret_is_not_found(sdk, name, action):
    version = {"VersionId": "v2"} if action == "RotateSecret" else {}
    refused = refusal(sdk.call, action, SecretName=name, **version)
    assert (refused.status, refused.code) == (404, "Forbidden.ResourceNotFound")


def test_a_wrong_secret_key_is_told_as_such(sdk, rds, address):
    stranger = type(sdk)(address, key_secret="not-testsecret")
    refused = refusal(stranger.call, "RotateSecret", SecretName=rds, VersionId="v2")
    # The old SDK compares the string to sign that the service echoes with its own. Where they are
    # equal only the key can be wrong, and it puts its own code in place of SignatureDoesNotMatch.
    code = "InvalidAccessKeySecret" if isinstance(sdk, OldSdk) else "SignatureDoesNotMatch"
    assert (refused.status, refused.code) == (400, code)
    assert versions(sdk, rds) == {"v1": ["ACSCurrent"]}


def test_an_unknown_access_key_is_told_as_such(sdk, rds, address):
    stranger = type(sdk)(address, key_id="nobody")
    refused = refusal(stranger.call, "RotateSecret", SecretName=rds, VersionId="v2")
    assert refused.code == "InvalidAccessKeyId.NotFound"
    # The service's own pages say 404, some lists of its gateway 400.
    assert refused.status in (400, 404)
    assert versions(sdk, rds) == {"v1": ["ACSCurrent"]}
