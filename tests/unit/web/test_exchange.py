"""Addresses in answers."""

from dataclasses import replace

import pytest

from shared.web.exchange import Links, links_for
from tests.unit.web.samples import BASE, LINKS, request


@pytest.mark.parametrize(
    ("public_url", "asked", "base"),
    [
        ("https://assay.contoso.com", "https://x.azurewebsites.net/api/v1/images", "https://assay.contoso.com/api/v1"),
        ("https://gw.contoso.com/assay", "https://x.azurewebsites.net/api/v1/images", "https://gw.contoso.com/assay/api/v1"),
        ("", "http://127.0.0.1:7071/api/v1/builds?limit=3", "http://127.0.0.1:7071/api/v1"),
        ("", "https://x.net/api/v1/images/v1/versions", "https://x.net/api/v1"),
    ],
)  # fmt: skip
def test_links_start_with_the_public_url_or_as_the_request_did(
    public_url: str, asked: str, base: str
) -> None:
    assert links_for(replace(request("x"), url=asked), public_url) == Links(base)


def test_what_is_put_into_a_link_is_escaped() -> None:
    assert LINKS.to("vms", "a/b?c", image="x:y", version="") == f"{BASE}/vms/a%2Fb%3Fc?image=x%3Ay"


def test_the_next_page_keeps_the_filter_and_replaces_the_cursor() -> None:
    asked = request("vms", query={"team": "a&b", "cursor": "old"})
    assert LINKS.next_page(asked, "new=") == f"{BASE}/vms?team=a%26b&cursor=new%3D"
    assert LINKS.next_page(asked, "") is None
