"""Every setting, described once: types, defaults, variables, who may set it; and what is wrong with a file, by its line."""

from console.settings.description import SettingInfo, Settings, describe
from console.settings.loading import Loaded, Origin, Overrides, SettingsError, check_keys, load
from console.settings.secret import Secret, check_secret_file, read_secret_file

__all__ = [
    "Loaded",
    "Origin",
    "Overrides",
    "Secret",
    "SettingInfo",
    "Settings",
    "SettingsError",
    "check_keys",
    "check_secret_file",
    "describe",
    "load",
    "read_secret_file",
]
