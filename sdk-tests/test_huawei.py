"""Huawei Cloud CSMS: what a user of the official SDK sees of secrets, their rotation and its tasks."""

import json
import re

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcsms import v1

VENDOR = "huawei"
PROJECTS = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"]
KINDS = ["RDS-FG", "GaussDB-FG"]
FUNCTION = "urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:rotate:latest"
UUID = re.compile(r"[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}")
DAY = 86_400


class Sdk:
    """A call takes the names of the SDK: those of a request's own fields, and those of its body."""

    def __init__(self, address, key_id="testid", key_secret="testsecret", project=PROJECTS[0]):
        self.address = address
        credentials = BasicCredentials(key_id, key_secret, project)
        builder = v1.CsmsClient.new_builder().with_credentials(credentials)
        self.client = builder.with_endpoint(f"http://{address}").build()

    def as_other(self, **credentials):
        return Sdk(self.address, **credentials)

    def call(self, action, **fields):
        return getattr(self.client, action)(self.request(action, **fields))

    def with_token(self, token, action, **fields):
        """The call with a token of the identity service in place of a signature."""
        invoker = getattr(self.client, f"{action}_invoker")(self.request(action, **fields))
        return invoker.add_header("X-Auth-Token", token).add_header("Authorization", "").invoke()

    @staticmethod
    def request(action, **fields):
        model = getattr(v1, f"{camel(action)}Request")
        body = getattr(v1, f"{camel(action)}RequestBody", None)
        if body:
            inside = {name: value for name, value in fields.items() if name in body.openapi_types}
            fields = {name: value for name, value in fields.items() if name not in inside}
            fields["body"] = body(**inside)
        return model(**fields)


def camel(action):
    """`create_secret` as the SDK names its models: `CreateSecret`."""
    return action.title().replace("_", "")


@pytest.fixture
def sdk(emulator):
    return Sdk(emulator.address)


@pytest.fixture(params=[(kind, users) for kind in KINDS for users in ("SingleUser", "MultiUser")], ids="-".join)
def managed(request, sdk, name):
    """A database's secret, which can rotate, at version v1."""
    kind, users = request.param
    created = sdk.call(
        "create_secret",
        name=name,
        secret_type=kind,
        secret_string=json.dumps({"username": "app", "password": "first"}),
        rotation_config=json.dumps({"InstanceId": "0123456789abcdef0123456789abin01", "SecretSubType": users}),
        rotation_func_urn=FUNCTION,
        auto_rotation=False,
    ).secret
    assert (created.name, created.secret_type, created.state) == (name, kind, "ENABLED")
    assert UUID.fullmatch(created.id)
    return name


@pytest.fixture
def common(sdk, name):
    """A secret whose value its owner keeps, which cannot rotate, at version v1."""
    created = sdk.call("create_secret", name=name, secret_string="one", description="kept by hand").secret
    assert (created.name, created.secret_type) == (name, "COMMON")
    return name


def version(sdk, name, version_id="latest"):
    return sdk.call("show_secret_version", secret_name=name, version_id=version_id).version


def stages(sdk, name):
    listed = sdk.call("list_secret_versions", secret_name=name).version_metadatas
    found = {entry.id: entry.version_stages for entry in listed}
    assert len(found) == len(listed), "a version is listed twice"
    return found


def task(sdk, task_id):
    listed = sdk.call("list_secret_task", task_id=task_id).tasks
    assert [entry.task_id for entry in listed] == [task_id]
    return listed[0]


def rotate(sdk, emulator, name):
    rotated = sdk.call("rotate_secret", secret_name=name)
    assert UUID.fullmatch(rotated.rotation_task_id)
    emulator.advance(3)
    assert task(sdk, rotated.rotation_task_id).task_status == "SUCCESS"
    return rotated


def refusal(call, *arguments, **parameters):
    with pytest.raises(ClientRequestException) as caught:
        call(*arguments, **parameters)
    refused = caught.value
    assert refused.request_id and refused.error_msg
    # Without a code of the service the SDK puts the status in its place.
    assert refused.error_code != str(refused.status_code)
    return refused.status_code, refused.error_code


def test_a_rotation_is_a_task_that_ends_in_a_new_current_version(sdk, emulator, managed):
    before = version(sdk, managed)
    rotated = sdk.call("rotate_secret", secret_name=managed)
    begun = task(sdk, rotated.rotation_task_id)
    assert begun.task_status and begun.secret_name == managed
    emulator.advance(3)
    assert task(sdk, rotated.rotation_task_id).task_status == "SUCCESS"

    after = version(sdk, managed)
    assert (before.version_metadata.id, after.version_metadata.id) == ("v1", "v2")
    assert after.version_metadata.version_stages == ["SYSCURRENT"]
    assert after.secret_string != before.secret_string
    assert version(sdk, managed, "v1").secret_string == before.secret_string
    assert stages(sdk, managed) == {"v1": ["SYSPREVIOUS"], "v2": ["SYSCURRENT"]}


def test_each_rotation_makes_the_next_version(sdk, emulator, managed):
    for _ in range(3):
        rotate(sdk, emulator, managed)
    assert stages(sdk, managed) == {"v1": [], "v2": [], "v3": ["SYSPREVIOUS"], "v4": ["SYSCURRENT"]}
    values = {version(sdk, managed, each).secret_string for each in ("v1", "v2", "v3", "v4")}
    assert len(values) == 4
    accounts = [json.loads(version(sdk, managed, each).secret_string)["username"] for each in ("v2", "v3", "v4")]
    assert accounts[0] == accounts[2], "one account, or two that take turns"


def test_a_description_tells_what_was_created(sdk, managed):
    read = sdk.call("show_secret", secret_name=managed).secret
    assert (read.name, read.state, read.auto_rotation) == (managed, "ENABLED", False)
    assert read.secret_type in KINDS
    assert 10**12 < read.create_time < 10**13, "milliseconds"
    assert read.scheduled_delete_time is None


def test_the_policy_reads_back_and_bad_ones_change_nothing(sdk, managed):
    for period, seconds in [("6h", 6 * 3600), ("30d", 30 * DAY), ("365d", 365 * DAY)]:
        sdk.call("update_secret", secret_name=managed, auto_rotation=True, rotation_period=period)
        read = sdk.call("show_secret", secret_name=managed).secret
        assert read.auto_rotation is True and in_seconds(read.rotation_period) == seconds
    for bad in ["1h", "366d", "7x", "soon"]:
        policy = {"secret_name": managed, "auto_rotation": True, "rotation_period": bad}
        status, code = refusal(sdk.call, "update_secret", **policy)
        assert (status, code) == (400, "CSMS.0002"), bad
    after = sdk.call("show_secret", secret_name=managed).secret
    assert after.rotation_period == read.rotation_period
    sdk.call("update_secret", secret_name=managed, auto_rotation=False)
    assert sdk.call("show_secret", secret_name=managed).secret.auto_rotation is False


def in_seconds(period):
    return int(period[:-1]) * {"d": DAY, "h": 3600, "m": 60, "s": 1}[period[-1]]


def test_a_common_secret_takes_versions_and_no_rotation(sdk, common):
    text = "two & a half=+%/~ 凭据\n"
    made = sdk.call("create_secret_version", secret_name=common, secret_string=text).version_metadata
    assert (made.id, made.secret_name, made.version_stages) == ("v2", common, ["SYSCURRENT"])
    assert version(sdk, common).secret_string == text
    assert version(sdk, common, "v1").secret_string == "one"
    assert refusal(sdk.call, "rotate_secret", secret_name=common) == (400, "CSMS.0003")
    assert stages(sdk, common) == {"v1": ["SYSPREVIOUS"], "v2": ["SYSCURRENT"]}


def test_stages_are_made_moved_and_deleted(sdk, common):
    sdk.call("create_secret_version", secret_name=common, secret_string="two")
    own = {"secret_name": common, "stage_name": "my-own"}
    for target in ("v1", "v2"):
        assert sdk.call("update_secret_stage", version_id=target, **own).stage.version_id == target
        shown = sdk.call("show_secret_stage", **own).stage
        assert (shown.name, shown.secret_name, shown.version_id) == ("my-own", common, target)
    sdk.call("delete_secret_stage", **own)
    assert refusal(sdk.call, "show_secret_stage", **own)[0] in (400, 404)
    built_in = {"secret_name": common, "stage_name": "SYSCURRENT"}
    assert refusal(sdk.call, "delete_secret_stage", **built_in) == (400, "CSMS.0105")
    assert stages(sdk, common) == {"v1": ["SYSPREVIOUS"], "v2": ["SYSCURRENT"]}


def test_versions_come_in_pages(sdk, common):
    for at in range(2, 6):
        sdk.call("create_secret_version", secret_name=common, secret_string=f"value {at}")
    seen, marker = [], None
    while True:
        page = sdk.call("list_secret_versions", secret_name=common, limit=2, marker=marker)
        assert 1 <= len(page.version_metadatas) <= 2
        assert page.page_info.current_count == len(page.version_metadatas)
        seen += [entry.id for entry in page.version_metadatas]
        marker = page.page_info.next_marker
        if not marker:
            break
    assert sorted(seen) == ["v1", "v2", "v3", "v4", "v5"]


def test_a_name_is_taken_once(sdk, common):
    status, _ = refusal(sdk.call, "create_secret", name=common, secret_string="other")
    assert status == 400
    assert version(sdk, common).secret_string == "one"


def test_a_secret_waits_for_its_deletion_returns_and_goes(sdk, emulator, managed):
    sdk.call("update_secret", secret_name=managed, auto_rotation=True, rotation_period="30d")
    window = {"secret_name": managed, "recovery_window_in_days": 7}
    planned = sdk.call("delete_secret_for_schedule", **window).secret
    read = sdk.call("show_secret", secret_name=managed).secret
    assert (planned.state, read.state) == ("PENDING_DELETE", "PENDING_DELETE")
    assert read.scheduled_delete_time - read.create_time >= 7 * DAY * 1000
    status, code = refusal(version, sdk, managed)
    assert code in ("CSMS.0107", "CSMS.0103", "CSMS.0109")

    restored = sdk.call("restore_secret", secret_name=managed).secret
    assert (restored.state, restored.scheduled_delete_time) == ("ENABLED", None)
    assert planned.auto_rotation is restored.auto_rotation is True
    assert refusal(sdk.call, "restore_secret", secret_name=managed) == (400, "CSMS.0108")
    rotate(sdk, emulator, managed)
    sdk.call("delete_secret", secret_name=managed)
    assert refusal(sdk.call, "show_secret", secret_name=managed) == (404, "CSMS.0106")


def test_a_window_outside_its_bounds_is_refused(sdk, common):
    for days in (6, 31):
        window = {"secret_name": common, "recovery_window_in_days": days}
        assert refusal(sdk.call, "delete_secret_for_schedule", **window) == (400, "CSMS.0002"), days
    assert sdk.call("show_secret", secret_name=common).secret.state == "ENABLED"


# Errors of rotation stand one level deeper than those of the others; the SDK finds both.
@pytest.mark.parametrize("action", ["rotate_secret", "show_secret", "list_secret_versions", "delete_secret"])
def test_an_unknown_secret_is_not_found(sdk, name, action):
    assert refusal(sdk.call, action, secret_name=name) == (404, "CSMS.0106")


def test_what_is_of_the_wrong_form_is_refused(sdk, common):
    long = {"name": "x" * 65, "secret_string": "one"}
    assert refusal(sdk.call, "create_secret", **long) == (400, "CSMS.0002")
    marked = {"name": "has a blank", "secret_string": "one"}
    assert refusal(sdk.call, "create_secret", **marked) == (400, "CSMS.0002")
    kind = {"name": "other", "secret_string": "one", "secret_type": "NO-SUCH-KIND"}
    assert refusal(sdk.call, "create_secret", **kind) == (400, "CSMS.0002")
    assert refusal(version, sdk, common, "v99")[0] in (400, 404)


def test_a_managed_secret_needs_its_instance(sdk, name):
    bare = {"name": name, "secret_type": "RDS-FG", "secret_string": "{}"}
    assert refusal(sdk.call, "create_secret", **bare)[0] == 400
    assert refusal(sdk.call, "show_secret", secret_name=name)[0] == 404


def test_a_wrong_secret_key_is_told_as_such(sdk, managed):
    stranger = sdk.as_other(key_secret="not-testsecret")
    assert refusal(stranger.call, "rotate_secret", secret_name=managed) == (401, "APIGW.0301")
    assert stages(sdk, managed) == {"v1": ["SYSCURRENT"]}


def test_an_unknown_key_is_told_as_such(sdk, managed):
    stranger = sdk.as_other(key_id="nobody")
    assert refusal(stranger.call, "rotate_secret", secret_name=managed) == (401, "APIGW.0301")
    assert stages(sdk, managed) == {"v1": ["SYSCURRENT"]}


def test_another_project_is_out_of_reach(sdk, managed):
    intruder = sdk.as_other(key_id="testid2", key_secret="testsecret2")
    assert refusal(intruder.call, "rotate_secret", secret_name=managed)[0] in (400, 401, 403, 404)
    other = sdk.as_other(key_id="testid2", key_secret="testsecret2", project=PROJECTS[1])
    assert refusal(other.call, "rotate_secret", secret_name=managed) == (404, "CSMS.0106")
    assert stages(sdk, managed) == {"v1": ["SYSCURRENT"]}


def test_a_token_does_in_place_of_a_signature(sdk, managed):
    assert sdk.with_token("testtoken", "show_secret", secret_name=managed).secret.name == managed
    assert refusal(sdk.with_token, "no-token", "show_secret", secret_name=managed)[0] in (400, 401)
