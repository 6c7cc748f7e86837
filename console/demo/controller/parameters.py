"""Build parameters: what a job declares and what a build was given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Value = str | bool


class ParameterKind(StrEnum):
    """The types that a job of the platform declares, by the prefix of their Java classes."""

    STRING = "String"
    TEXT = "Text"
    CHOICE = "Choice"
    BOOLEAN = "Boolean"
    PASSWORD = "Password"  # noqa: S105 (the name of a parameter type)


class BadValueError(Exception):
    """A value that the parameter does not take. The server answers 500 with a logging id and no reason."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter. Of a choice the first one is the default."""

    name: str
    kind: ParameterKind = ParameterKind.STRING
    default: Value = ""
    choices: tuple[str, ...] = ()
    description: str = ""

    def fallback(self) -> Value:
        """The value of a build that was not given one."""
        return self.choices[0] if self.kind is ParameterKind.CHOICE else self.default

    def accept(self, text: str | bool) -> Value:
        """The value for what somebody sent; raises BadValueError for what is not among the choices."""
        if self.kind is ParameterKind.BOOLEAN:
            return text is True or text in {"true", "on"}
        if self.kind is ParameterKind.CHOICE and text not in self.choices:
            raise BadValueError(self.name)
        return str(text)


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """What one build was given; `kind` decides the Java class of the value."""

    name: str
    kind: ParameterKind
    value: Value

    def short(self) -> str:
        """`NAME=value` as the queue's `params` shows it; a password is hidden."""
        if self.kind is ParameterKind.PASSWORD:
            return f"{self.name}=****"
        text = str(self.value).lower() if isinstance(self.value, bool) else self.value
        return f"{self.name}={text}"
