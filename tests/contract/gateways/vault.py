"""A small Key Vault: one key, its versions, `get` and `sign`, behind the real challenge.

The SDK speaks https alone, so a transport of its own brings its requests to this server; all above
the transport is what runs in Azure.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from azure.core.pipeline.transport import AioHttpTransport
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

VAULT = "https://assay-test.vault.azure.net"
TENANT = "00000000-0000-4000-8000-00000000000a"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ES256": hashes.SHA256(), "ES384": hashes.SHA384(), "PS256": hashes.SHA256(),
}  # fmt: skip
_CURVES = {"secp256r1": ("P-256", 32), "secp384r1": ("P-384", 48), "secp256k1": ("P-256K", 32)}

type PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _number(value: int, size: int | None = None) -> str:
    return _b64(value.to_bytes(size or (value.bit_length() + 7) // 8))


@dataclass
class Vault:
    """The vault; *refuses* is what every call is answered with, once let in."""

    keys: dict[str, list[PrivateKey]] = field(default_factory=dict)
    refuses: int = 0
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/keys/{name}/{version}", self._get)
        app.router.add_get("/keys/{name}/", self._get)
        app.router.add_post("/keys/{name}/{version}/sign", self._sign)
        return app

    def _refusal(self, request: web.Request) -> web.Response | None:
        if "Authorization" not in request.headers:
            challenge = (
                f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", '
                'resource="https://vault.azure.net"'
            )
            return web.json_response({}, status=401, headers={"WWW-Authenticate": challenge})
        self.asked.append(f"{request.method} {request.path}")
        if self.refuses:
            error = {"error": {"code": "Forbidden", "message": "Caller is not authorized"}}
            return web.json_response(error, status=self.refuses)
        return None

    def _key(self, request: web.Request) -> tuple[str, PrivateKey]:
        versions = self.keys.get(request.match_info["name"], [])
        number = int(request.match_info.get("version") or len(versions))
        if not 0 < number <= len(versions):
            error = {"error": {"code": "KeyNotFound", "message": "no such key"}}
            raise web.HTTPNotFound(text=str(error), content_type="application/json")
        return f"{VAULT}/keys/{request.match_info['name']}/{number}", versions[number - 1]

    async def _get(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        kid, key = self._key(request)
        jwk: dict[str, Any] = {"kid": kid, "key_ops": ["sign", "verify"]}
        if isinstance(key, rsa.RSAPrivateKey):
            public = key.public_key().public_numbers()
            jwk |= {"kty": "RSA", "n": _number(public.n), "e": _number(public.e)}
        else:
            curve, size = _CURVES[key.curve.name]
            point = key.public_key().public_numbers()
            jwk |= {"kty": "EC", "crv": curve, "x": _number(point.x, size)}
            jwk |= {"y": _number(point.y, size)}
        return web.json_response({"key": jwk, "attributes": {"enabled": True}})

    async def _sign(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        kid, key = self._key(request)
        asked = await request.json()
        kind = _HASHES[asked["alg"]]
        digest = base64.urlsafe_b64decode(asked["value"] + "==")
        if isinstance(key, rsa.RSAPrivateKey):
            pss = padding.PSS(padding.MGF1(kind), padding.PSS.DIGEST_LENGTH)
            value = key.sign(digest, pss, utils.Prehashed(kind))
        else:
            size = _CURVES[key.curve.name][1]
            r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(kind))))
            value = r.to_bytes(size) + s.to_bytes(size)
        return web.json_response({"kid": kid, "value": _b64(value)})


class ToTheVault(AioHttpTransport):  # type: ignore[misc]
    """Sends what is meant for the vault to the server that plays it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def send(self, request: Any, **options: Any) -> Any:
        meant = request.url
        assert meant.startswith(f"{VAULT}/"), meant
        request.url = self._url + meant.removeprefix(VAULT)
        try:
            return await super().send(request, **options)
        finally:
            request.url = meant
