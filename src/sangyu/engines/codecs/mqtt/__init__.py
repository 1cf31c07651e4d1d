"""MQTT dialects (devices.md §5): topic and JSON → messages and replies; commands → topic and payload. One module a dialect."""

from . import alink, home_assistant, huawei, own, tencent

__all__ = ["alink", "home_assistant", "huawei", "own", "tencent"]
