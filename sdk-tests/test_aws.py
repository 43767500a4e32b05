"""AWS Secrets Manager: what a user of boto3 sees of secrets, rotation and staging labels."""

import re
import uuid
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

VENDOR = "aws"
REGION = "us-east-1"
ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"
BIGGEST = 65_536


class Sdk:
    """Clients of boto3; `session` is one of its own, so that no default of this machine counts."""

    def __init__(self, address, key_id="testid", key_secret="testsecret", region=REGION):
        self.address = address
        session = boto3.session.Session(key_id, key_secret, region_name=region)
        # One attempt a call: what is refused here is refused for good.
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
        self.client = session.client("secretsmanager", endpoint_url=f"http://{address}", config=config)

    def as_other(self, **credentials):
        return Sdk(self.address, **credentials)

    def call(self, action, **parameters):
        answer = getattr(self.client, action)(**parameters)
        metadata = answer.pop("ResponseMetadata")
        assert metadata["HTTPStatusCode"] == 200 and metadata["RequestId"]
        return answer


@pytest.fixture
def sdk(emulator):
    return Sdk(emulator.address)


@pytest.fixture
def secret(sdk, name):
    """A secret with one version."""
    name = f"sdk/{name}@1"
    created = sdk.call("create_secret", Name=name, SecretString="one", Description="a & b")
    assert created["Name"] == name and is_arn(created["ARN"], name)
    assert uuid.UUID(created["VersionId"])
    return name


@pytest.fixture
def rotating(sdk, emulator, secret):
    """The same after its first rotation, which named the function."""
    rotate(sdk, emulator, secret, RotationLambdaARN=FUNCTION, RotationRules={"AutomaticallyAfterDays": 30})
    return secret


def is_arn(arn, name):
    return re.fullmatch(rf"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{re.escape(name)}-\w{{6}}", arn)


def rotate(sdk, emulator, name, **parameters):
    rotated = sdk.call("rotate_secret", SecretId=name, **parameters)
    emulator.advance(2)
    return rotated


def value(sdk, name, **version):
    return sdk.call("get_secret_value", SecretId=name, **version)


def labels(sdk, name):
    return sdk.call("describe_secret", SecretId=name)["VersionIdsToStages"]


def refusal(call, *arguments, **parameters):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["RequestId"] and answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    return answer["Error"]["Code"]


def test_a_rotation_ends_in_a_new_current_version(sdk, emulator, secret):
    before = value(sdk, secret)
    token = str(uuid.uuid4())
    settings = {"RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 30}}
    rotated = rotate(sdk, emulator, secret, ClientRequestToken=token, **settings)
    assert (rotated["Name"], rotated["VersionId"]) == (secret, token)
    assert is_arn(rotated["ARN"], secret)

    after = value(sdk, secret)
    assert (after["VersionId"], after["VersionStages"]) == (token, ["AWSCURRENT"])
    assert after["SecretString"] != before["SecretString"] == "one"
    assert value(sdk, secret, VersionStage="AWSPREVIOUS")["SecretString"] == "one"
    assert value(sdk, secret, VersionId=before["VersionId"])["VersionStages"] == ["AWSPREVIOUS"]
    assert labels(sdk, secret) == {before["VersionId"]: ["AWSPREVIOUS"], token: ["AWSCURRENT"]}


def test_the_next_rotation_needs_no_settings(sdk, emulator, rotating):
    seen = [value(sdk, rotating)["SecretString"]]
    for _ in range(2):
        rotate(sdk, emulator, rotating)
        seen.append(value(sdk, rotating)["SecretString"])
    assert len(set(seen)) == 3
    assert sorted(labels(sdk, rotating).values()) == [["AWSCURRENT"], ["AWSPREVIOUS"]]


def test_a_known_token_makes_no_second_version(sdk, emulator, rotating):
    token = str(uuid.uuid4())
    rotate(sdk, emulator, rotating, ClientRequestToken=token)
    before, text = labels(sdk, rotating), value(sdk, rotating)["SecretString"]
    again = rotate(sdk, emulator, rotating, ClientRequestToken=token)
    assert again["VersionId"] == token
    assert labels(sdk, rotating) == before and value(sdk, rotating)["SecretString"] == text


def test_a_description_shows_settings_and_dates(sdk, rotating):
    read = sdk.call("describe_secret", SecretId=rotating)
    assert (read["Name"], read["Description"], read["RotationEnabled"]) == (rotating, "a & b", True)
    assert read["RotationLambdaARN"] == FUNCTION
    assert read["RotationRules"] == {"AutomaticallyAfterDays": 30}
    now = datetime.now(timezone.utc)
    for field in ["CreatedDate", "LastRotatedDate", "LastChangedDate"]:
        assert abs(read[field] - now) < timedelta(hours=1), field
    assert timedelta(days=28) < read["NextRotationDate"] - now < timedelta(days=32)
    assert "DeletedDate" not in read
    assert is_arn(read["ARN"], rotating)
    assert sdk.call("describe_secret", SecretId=read["ARN"])["Name"] == rotating


def test_a_schedule_reads_back_and_may_wait(sdk, emulator, secret):
    rules = {"ScheduleExpression": "rate(10 days)", "Duration": "3h"}
    settings = {"RotationLambdaARN": FUNCTION, "RotationRules": rules, "RotateImmediately": False}
    rotate(sdk, emulator, secret, **settings)
    assert value(sdk, secret)["SecretString"] == "one"
    read = sdk.call("describe_secret", SecretId=secret)
    assert read["RotationEnabled"] is True
    assert read["RotationRules"]["ScheduleExpression"] == "rate(10 days)"


def test_rotation_is_cancelled(sdk, rotating):
    assert sdk.call("cancel_rotate_secret", SecretId=rotating)["Name"] == rotating
    read = sdk.call("describe_secret", SecretId=rotating)
    assert read["RotationEnabled"] is False


def test_without_a_function_nothing_rotates(sdk, secret):
    before = sdk.call("describe_secret", SecretId=secret)
    assert refusal(sdk.call, "rotate_secret", SecretId=secret) == "InvalidRequestException"
    assert sdk.call("describe_secret", SecretId=secret) == before
    assert not before.get("RotationEnabled")


def test_a_version_that_is_pending_keeps_others_out(sdk, emulator, rotating):
    pending = sdk.call("put_secret_value", SecretId=rotating, SecretString="half", VersionStages=["AWSPENDING"])
    assert pending["VersionStages"] == ["AWSPENDING"]
    assert refusal(sdk.call, "rotate_secret", SecretId=rotating) == "InvalidRequestException"
    stage = {"SecretId": rotating, "VersionStage": "AWSPENDING"}
    sdk.call("update_secret_version_stage", RemoveFromVersionId=pending["VersionId"], **stage)
    rotate(sdk, emulator, rotating)
    assert value(sdk, rotating)["SecretString"] != "half"


def test_rules_outside_their_bounds_are_refused(sdk, rotating):
    before = sdk.call("describe_secret", SecretId=rotating)
    both = {"AutomaticallyAfterDays": 30, "ScheduleExpression": "rate(30 days)"}
    for rules in [{"AutomaticallyAfterDays": 1001}, {"ScheduleExpression": "rate(1 hour)"}, both]:
        code = refusal(sdk.call, "rotate_secret", SecretId=rotating, RotationRules=rules)
        assert code in ("InvalidParameterException", "ValidationException"), rules
    assert sdk.call("describe_secret", SecretId=rotating) == before


def test_a_written_version_moves_the_labels(sdk, secret):
    first = value(sdk, secret)["VersionId"]
    text = "two & a half=+%/~ \\\"凭据\n"
    second = sdk.call("put_secret_value", SecretId=secret, SecretString=text)["VersionId"]
    assert value(sdk, secret)["SecretString"] == text
    assert labels(sdk, secret) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]}

    # The same again with its token changes nothing, something else with it is refused.
    again = {"SecretId": secret, "ClientRequestToken": second}
    sdk.call("put_secret_value", SecretString=text, **again)
    assert refusal(sdk.call, "put_secret_value", SecretString="other", **again) == "ResourceExistsException"
    assert value(sdk, secret)["SecretString"] == text

    back = {"SecretId": secret, "VersionStage": "AWSCURRENT", "MoveToVersionId": first}
    assert refusal(sdk.call, "update_secret_version_stage", **back) == "InvalidParameterException"
    sdk.call("update_secret_version_stage", RemoveFromVersionId=second, **back)
    assert value(sdk, secret)["SecretString"] == "one"
    assert labels(sdk, secret) == {first: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}


def test_versions_come_in_pages(sdk, secret):
    made = {value(sdk, secret)["VersionId"]}
    for at in range(4):
        made.add(sdk.call("put_secret_value", SecretId=secret, SecretString=f"value {at}")["VersionId"])
    seen, token = [], {}
    while True:
        page = sdk.call("list_secret_version_ids", SecretId=secret, MaxResults=2, IncludeDeprecated=True, **token)
        assert len(page["Versions"]) <= 2
        seen += [entry["VersionId"] for entry in page["Versions"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert len(seen) == len(set(seen)) == 5 and set(seen) == made
    shown = sdk.call("list_secret_version_ids", SecretId=secret)["Versions"]
    assert sorted(entry["VersionStages"] for entry in shown) == [["AWSCURRENT"], ["AWSPREVIOUS"]]


def test_the_biggest_value_comes_back_as_it_went(sdk, name):
    piece = "a b+c%/=&~*\"\\{}\n"
    data = (piece * BIGGEST)[:BIGGEST]
    sdk.call("create_secret", Name=name, SecretString=data)
    assert value(sdk, name)["SecretString"] == data
    code = refusal(sdk.call, "put_secret_value", SecretId=name, SecretString=data + "x")
    assert code in ("InvalidParameterException", "ValidationException")


def test_tags_are_shown(sdk, name):
    tags = [{"Key": "team", "Value": "a b"}]
    sdk.call("create_secret", Name=name, SecretString="one", Tags=tags)
    assert sdk.call("describe_secret", SecretId=name)["Tags"] == tags


def test_a_name_is_taken_once(sdk, secret):
    assert refusal(sdk.call, "create_secret", Name=secret, SecretString="other") == "ResourceExistsException"
    first = value(sdk, secret)
    again = {"Name": secret, "SecretString": "one", "ClientRequestToken": first["VersionId"]}
    assert sdk.call("create_secret", **again)["VersionId"] == first["VersionId"]


def test_a_deleted_secret_waits_returns_and_goes(sdk, emulator, rotating):
    deleted = sdk.call("delete_secret", SecretId=rotating, RecoveryWindowInDays=7)
    ahead = deleted["DeletionDate"] - datetime.now(timezone.utc)
    assert timedelta(days=6) < ahead < timedelta(days=8)
    assert "DeletedDate" in sdk.call("describe_secret", SecretId=rotating)
    for action in ["get_secret_value", "rotate_secret"]:
        assert refusal(sdk.call, action, SecretId=rotating) == "InvalidRequestException"
    assert refusal(sdk.call, "create_secret", Name=rotating, SecretString="new") == "InvalidRequestException"
    sdk.call("restore_secret", SecretId=rotating)
    assert "DeletedDate" not in sdk.call("describe_secret", SecretId=rotating)
    rotate(sdk, emulator, rotating)

    sdk.call("delete_secret", SecretId=rotating, ForceDeleteWithoutRecovery=True)
    assert refusal(sdk.call, "describe_secret", SecretId=rotating) == "ResourceNotFoundException"


def test_a_window_and_force_exclude_each_other(sdk, secret):
    for bad in [{"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True}, {"RecoveryWindowInDays": 6}]:
        assert refusal(sdk.call, "delete_secret", SecretId=secret, **bad) == "InvalidParameterException"
    assert value(sdk, secret)["SecretString"] == "one"


@pytest.mark.parametrize("action", ["rotate_secret", "get_secret_value", "describe_secret", "restore_secret"])
def test_an_unknown_secret_is_not_found(sdk, name, action):
    assert refusal(sdk.call, action, SecretId=name) == "ResourceNotFoundException"
    # The SDK makes a class of its own of each error in the model.
    with pytest.raises(sdk.client.exceptions.ResourceNotFoundException):
        getattr(sdk.client, action)(SecretId=name)


def test_a_version_and_a_label_must_match(sdk, rotating):
    current = value(sdk, rotating)["VersionId"]
    code = refusal(value, sdk, rotating, VersionId=current, VersionStage="AWSPREVIOUS")
    assert code == "InvalidRequestException"
    assert refusal(value, sdk, rotating, VersionStage="NO-SUCH-LABEL") == "ResourceNotFoundException"


def test_what_the_sdk_lets_through_and_the_service_does_not(sdk, secret):
    # The SDK looks at least lengths alone.
    for bad in [{"Name": "x" * 513}, {"Name": "other", "Description": "x" * 2049}]:
        code = refusal(sdk.call, "create_secret", SecretString="one", **bad)
        assert code in ("ValidationException", "InvalidParameterException"), bad
    code = refusal(value, sdk, secret, VersionId="x" * 65)
    assert code in ("ValidationException", "InvalidParameterException")


def test_a_wrong_secret_key_is_told_as_such(sdk, rotating):
    before = labels(sdk, rotating)
    stranger = sdk.as_other(key_secret="not-testsecret")
    code = refusal(stranger.call, "rotate_secret", SecretId=rotating)
    assert code in ("InvalidSignatureException", "SignatureDoesNotMatch")
    assert labels(sdk, rotating) == before


def test_an_unknown_key_is_told_as_such(sdk, secret):
    stranger = sdk.as_other(key_id="nobody")
    code = refusal(stranger.call, "get_secret_value", SecretId=secret)
    assert code in ("UnrecognizedClientException", "InvalidClientTokenId")


def test_another_region_signs_otherwise(sdk, secret):
    elsewhere = sdk.as_other(region="eu-west-1")
    code = refusal(elsewhere.call, "get_secret_value", SecretId=secret)
    assert code in ("InvalidSignatureException", "SignatureDoesNotMatch")


def test_names_end_at_the_border_of_the_account(sdk, secret):
    other = sdk.as_other(key_id="testid2", key_secret="testsecret2")
    assert refusal(other.call, "get_secret_value", SecretId=secret) == "ResourceNotFoundException"
    other.call("create_secret", Name=secret, SecretString="theirs")
    assert value(other, secret)["SecretString"] == "theirs"
    assert value(sdk, secret)["SecretString"] == "one"
