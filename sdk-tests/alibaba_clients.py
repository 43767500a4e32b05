"""One face for the three ways in which the vendor's own Python SDKs speak to the service.

A call takes and returns the names of the API (`SecretName`, `VersionIds`); what goes over the wire
and how an answer is read is the business of the SDK, which is used as it is published.
"""

import json
import re
from importlib import import_module

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from alibabacloud_kms20160120 import models
from alibabacloud_kms20160120.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config

REGION = "cn-hangzhou"
KEY_ID = "testid"
KEY_SECRET = "testsecret"


class Refused(Exception):
    """An error of the service, as the SDK understood it."""

    def __init__(self, code, status, request_id):
        super().__init__(f"{status} {code} ({request_id})")
        self.code, self.status, self.request_id = code, status, request_id


class NewSdk:
    """alibabacloud-kms20160120: ACS3-HMAC-SHA256 as it comes, HMAC-SHA1 with `signature_algorithm`."""

    def __init__(self, address, key_id=KEY_ID, key_secret=KEY_SECRET, algorithm=None):
        config = Config(
            access_key_id=key_id,
            access_key_secret=key_secret,
            endpoint=address,
            protocol="HTTP",
            region_id=REGION,
            connect_timeout=5_000,
            read_timeout=20_000,
        )
        if algorithm:
            config.signature_algorithm = algorithm
        self.client = Client(config)

    def call(self, action, **parameters):
        request = getattr(models, f"{action}Request")(**{snake(name): value for name, value in parameters.items()})
        try:
            response = getattr(self.client, snake(action))(request)
        except AlibabaCloudException as error:
            raise Refused(error.code, error.status_code, error.request_id) from error
        assert response.status_code == 200
        return response.body.to_map()

    @staticmethod
    def config(value):
        """The SDK itself writes the map as JSON text."""
        return value


class NewSdkV1(NewSdk):
    """The same SDK in its older signing mode."""

    def __init__(self, address, **credentials):
        super().__init__(address, algorithm="v2", **credentials)


class OldSdk:
    """aliyun-python-sdk-kms: HMAC-SHA1, every parameter in the query."""

    def __init__(self, address, key_id=KEY_ID, key_secret=KEY_SECRET):
        self.address = address
        self.client = AcsClient(key_id, key_secret, REGION, connect_timeout=5, timeout=20)

    def call(self, action, **parameters):
        module = import_module(f"aliyunsdkkms.request.v20160120.{action}Request")
        request = getattr(module, f"{action}Request")()
        for name, value in parameters.items():
            getattr(request, f"set_{name}")(value)
        request.set_endpoint(self.address)
        request.set_protocol_type("http")
        try:
            return json.loads(self.client.do_action_with_exception(request))
        except ServerException as error:
            raise Refused(error.error_code, error.http_status, error.request_id) from error

    @staticmethod
    def config(value):
        return json.dumps(value)


CLIENTS = {"new-sdk-v3": NewSdk, "new-sdk-v1": NewSdkV1, "old-sdk": OldSdk}


def snake(name):
    """`SecretName` as the SDK spells it: `secret_name`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
