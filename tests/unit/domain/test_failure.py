"""What Azure says is sorted into what should be done about it."""

import pytest

from shared.domain.failure import FailureClass, classify


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("ValidationFailed", "x", FailureClass.CONFIGURATION),
        ("BadPIRSource", "the image was not found", FailureClass.CONFIGURATION),
        ("", "Azure Container Instances provider not registered", FailureClass.CONFIGURATION),
        ("AuthorizationFailed", "no rights", FailureClass.ACCESS),
        ("", "Not authorized to access the resource: /x", FailureClass.ACCESS),
        ("", "the assigned managed identity cannot be used", FailureClass.ACCESS),
        ("RequestDisallowedByPolicy", "policy", FailureClass.ACCESS),
        ("", "ACI quota exceeded", FailureClass.CAPACITY),
        (
            "",
            "Too many Azure Container Instances deployed within a period of time",
            FailureClass.CAPACITY,
        ),
        ("", "Packer build command has failed: exit status 1", FailureClass.CUSTOMIZATION),
        (
            "",
            "Packer build command has failed: exit status 1: curl: 401 Unauthorized",
            FailureClass.CUSTOMIZATION,
        ),
        ("", "a Badger timed out on its connection", FailureClass.SERVICE),
        ("", "sysprep: IMAGE_STATE_UNDEPLOYABLE", FailureClass.CUSTOMIZATION),
        ("", "context deadline exceeded", FailureClass.TIMEOUT),
        ("", "Build is canceled after context cancellation", FailureClass.CANCELLED),
        ("InternalOperationError", "Internal error occurred.", FailureClass.SERVICE),
        ("", "something nobody has seen before", FailureClass.SERVICE),
    ],
)
def test_known_texts_have_their_class(code: str, message: str, expected: FailureClass) -> None:
    assert classify(code, message).failure_class is expected


def test_the_message_keeps_azures_words_but_not_without_end() -> None:
    failure = classify("Code", "x" * 5000)

    assert failure.message.startswith("Code: xxx")
    assert len(failure.message) == 1000
