"""Everybody sees where they are, and from a refusal gets back to where they were."""

import re

import pytest

from tests.web.pages.browsing import Browser
from tests.web.pages.test_page_guards import seated
from tests.web.served import Served
from web.security.accounts import Part


def here(page: str) -> list[str]:
    """The links of the navigation that are marked as where one is."""
    marked = re.findall(r"service-navigation__item--active.*?</li>", page, re.DOTALL)
    return [re.sub(r"<[^>]*>|\s+", " ", one.partition(">")[2]).strip() for one in marked]


@pytest.mark.parametrize(
    ("part", "path", "place"),
    [
        (Part.BROKER, "/office/blocks", "Contracts"),
        (Part.COMMISSIONER, "/office/blocks", "Blocks"),
        (Part.BROKER, "/register/hours", "Contracts"),
        (Part.REGISTER_OFFICER, "/register/hours", "Providers"),
        (Part.PROVIDER_ADMIN, "/portal/visits", "Contracts"),
        (Part.PROVIDER_ADMIN, "/portal/blocks", "Contracts"),
        (Part.PROVIDER_ADMIN, "/portal", "Home"),
    ],
)
def test_a_page_without_a_place_of_its_own_stands_under_the_part_it_belongs_to(
    served: Served, part: Part, path: str, place: str
) -> None:
    assert here(seated(served, part).open(path).text) == [place]


def test_an_account_says_by_name_for_whom_it_works(served: Served) -> None:
    provider = served.world.provider("Synthetic Oak").provider

    assert "Synthetic Oak" in seated(served, Part.PROVIDER_USER, provider=provider).open("/account").text
    assert "St Helens Borough Council</dd>" in seated(served, Part.BROKER).open("/account").text


@pytest.mark.parametrize(
    ("came_from", "way_back"),
    [
        ("/desk?place=ready", "/desk?place=ready"),
        ("/desk/referrals/REF-0000-0000-0000", "/desk/referrals/REF-0000-0000-0000"),
        ("/portal/bids/many/check", None),
        ("//elsewhere.example/desk", None),
        ("https://elsewhere.example/desk", None),
        (None, None),
    ],
)
def test_a_refusal_leads_back_to_the_page_one_came_from_and_nowhere_else(
    served: Served, came_from: str | None, way_back: str | None
) -> None:
    broker = seated(served, Part.BROKER)
    headers = {} if came_from is None else {"Referer": came_from if "//" in came_from else site(broker) + came_from}

    refused = broker.client.get("/desk/awards/AWD-0000-0000-0000", headers=headers).text

    assert re.findall(r'href="([^"]*)">Go back to where you were', refused) == ([way_back] if way_back else [])


def test_a_page_that_is_not_there_does_not_lead_back_to_itself(served: Served) -> None:
    broker = seated(served, Part.BROKER)
    path = "/desk/awards/AWD-0000-0000-0000"

    assert "Go back to where you were" not in broker.client.get(path, headers={"Referer": site(broker) + path}).text


def site(browser: Browser) -> str:
    return str(browser.client.base_url).rstrip("/")
