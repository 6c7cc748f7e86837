"""Where a token may be sent, and how jobs are named in URLs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.build import BuildRef
from console.sources.jenkins.address import AddressError, build_of, build_path, full_name, job_path, parse, same_place
from console.text import clean


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://ci.example.org", "https://ci.example.org"),
        ("https://ci.example.org:443/", "https://ci.example.org"),
        (" https://ci.example.org/jenkins/ ", "https://ci.example.org/jenkins"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_the_root_of_a_controller(url: str, root: str) -> None:
    assert parse(url).root == root


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "begins with https://"),
        ("ci.example.org", "Write https://ci.example.org"),
        ("ftp://ci.example.org", "begins with https://"),
        ("http://ci.example.org", "readable over the network"),
        ("http://127.0.0.1.example.org", "readable over the network"),
        ("https://me:secret@ci.example.org", "must not hold a name or a token"),
        ("https://ci.example.org/?a=b", "before the ?"),
        ("https://ci.example.org:99999", "no address"),
        ("https://[bad", "no address"),
    ],
)
def test_what_is_no_address_says_why(url: str, told: str) -> None:
    with pytest.raises(AddressError) as raised:
        parse(url)
    assert told in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_password_in_a_mistyped_address_is_not_repeated() -> None:
    with pytest.raises(AddressError) as raised:
        parse("ftp://me:hunter2@ci.example.org")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ci.example.org/?token=hunter2", "https://ci.example.org/ is no"),
        ("https://ci.example.org/#hunter2", "https://ci.example.org/ is no"),
        ("ftp://ci.example.org?token=hunter2", "ftp://ci.example.org is no"),
        ("ci.example.org/?token=hunter2", "ci.example.org/ is no"),
        ("me:hunter2@ci.example.org", "...@ci.example.org is no"),
        ("https://me:hunter2#x@ci.example.org", "https://... is no"),
        ("https://ci.example.org:99999/?token=hunter2", "https://ci.example.org:99999/ is no"),
        ("https://ci.example.org/?mail=me@example.org&token=hunter2", "https://... is no"),
    ],
)
def test_a_secret_in_an_address_is_never_repeated(url: str, shown: str) -> None:
    with pytest.raises(AddressError) as raised:
        parse(url)
    assert str(raised.value).startswith(shown)
    assert "hunter2" not in str(raised.value)


def test_plain_http_to_others_wants_to_be_allowed() -> None:
    assert parse("http://ci.example.org", insecure_http=True).root == "http://ci.example.org"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("train", "job/train"),
        ("team-a/nested dir/copy data", "job/team-a/job/nested%20dir/job/copy%20data"),
        ("my-repo/feature%2Fx", "job/my-repo/job/feature%252Fx"),
        ("学習", "job/%E5%AD%A6%E7%BF%92"),
    ],
)
def test_names_of_jobs_and_their_paths(name: str, path: str) -> None:
    assert job_path(name) == path
    assert full_name(path) == name
    assert build_of(f"{path}/12") == (name, 12)


def test_what_is_no_build() -> None:
    assert build_of("job/train") is None
    assert build_of("job/train/x") is None
    assert build_of("job/2024") is None


def test_a_job_is_found_whatever_host_jenkins_believes_to_be() -> None:
    address = parse("https://ci.example.org/jenkins")
    assert address.inside("http://10.0.0.7:8080/ci/job/train/7/") == "job/train/7"
    assert address.inside("http://10.0.0.7:8080/") is None
    assert address.inside("http://[") is None


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("https://ci.example.org", "https://ci.example.org/", True),
        ("https://ci.example.org:443", "https://CI.example.org", True),
        ("https://ci.example.org", "http://ci.example.org", False),
        ("https://ci.example.org/a", "https://ci.example.org/b", False),
        ("https://ci.example.org", "https://ci.example.org.evil", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_a_token_is_bound_to_its_controller(first: str, second: str, *, same: bool) -> None:
    assert same_place(first, second) is same


@given(job=st.text(min_size=1, max_size=40), number=st.integers(1, 10**6))
def test_the_link_that_people_copy_is_the_path_that_is_asked(job: str, number: int) -> None:
    ref = BuildRef(clean(job), number)
    assert ref.path == build_path(ref)
