"""What the H100 told, as the constants of `nvml.c`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "recordings" / "gpu"


def recording() -> Any:
    """nvml.json: by `idle` and `loaded` each call with its value."""
    return json.loads((FOLDER / "nvml.json").read_text())


def header() -> str:
    """`recorded.h`. Arrays are idle, then loaded; costs are microseconds under load."""
    told = recording()
    idle, loaded = told["idle"], told["loaded"]
    bus = idle["nvmlDeviceGetPciInfo()"]["value"]
    second = "nvmlDeviceGetMemoryInfo(33554472)"
    processes = loaded["nvmlDeviceGetComputeRunningProcesses()"]["value"]
    samples = loaded["nvmlDeviceGetProcessUtilization(0)"]["value"]
    cost = {name: values["median_us"] for name, values in told["cost_loaded"].items()}

    def both(call: str, field: str | None = None) -> str:
        values = [state[call]["value"] for state in (idle, loaded)]
        return _numbers(value[field] if field else value for value in values)

    def one(call: str) -> Any:
        return idle[call]["value"]

    clocks = [[state[f"nvmlDeviceGetClockInfo({kind})"]["value"] for kind in range(4)] for state in (idle, loaded)]
    lines = [
        f"#define RECORDED_INIT_US {told['nvmlInit_ms'] * 1000}",
        f'#define RECORDED_NAME "{one("nvmlDeviceGetName()")}"',
        f'#define RECORDED_UUID "{one("nvmlDeviceGetUUID()")}"',
        f"#define RECORDED_CUDA {one('nvmlSystemGetCudaDriverVersion_v2')}",
        f"#define RECORDED_DOMAIN {bus['domain']}",
        f"#define RECORDED_BUS {bus['bus']}",
        f"#define RECORDED_DEVICE {bus['device']}",
        f"#define RECORDED_PCI_DEVICE_ID {bus['pciDeviceId']}",
        f"#define RECORDED_PCI_SUB_SYSTEM_ID {bus['pciSubSystemId']}",
        f"static const unsigned RECORDED_UTILIZATION_GPU[] = {both('nvmlDeviceGetUtilizationRates()', 'gpu')};",
        f"static const unsigned RECORDED_UTILIZATION_MEMORY[] = {both('nvmlDeviceGetUtilizationRates()', 'memory')};",
        f"#define RECORDED_MEMORY_V2_VERSION {one(second)['version']}u",
        f"#define RECORDED_MEMORY_TOTAL {one(second)['total']}ull",
        f"#define RECORDED_MEMORY_RESERVED {one(second)['reserved']}ull",
        f"static const unsigned long long RECORDED_MEMORY_V1_USED[] = {both('nvmlDeviceGetMemoryInfo()', 'used')};",
        f"static const unsigned long long RECORDED_MEMORY_V2_USED[] = {both(second, 'used')};",
        f"static const unsigned RECORDED_POWER[] = {both('nvmlDeviceGetPowerUsage()')};",
        f"#define RECORDED_POWER_LIMIT {one('nvmlDeviceGetEnforcedPowerLimit()')}",
        f"static const unsigned RECORDED_TEMPERATURE[] = {both('nvmlDeviceGetTemperature(0)')};",
        f"static const unsigned RECORDED_THRESHOLDS[] = "
        f"{_numbers(one(f'nvmlDeviceGetTemperatureThreshold({kind})') for kind in range(4))};",
        f"static const unsigned RECORDED_CLOCKS[2][4] = {{{_numbers(clocks[0])}, {_numbers(clocks[1])}}};",
        f"static const unsigned long long RECORDED_REASONS[] = {both('nvmlDeviceGetCurrentClocksEventReasons()')};",
        "static const unsigned long long RECORDED_ECC[2][2] = {"
        + ", ".join(_numbers(one(f"nvmlDeviceGetTotalEccErrors({error}, {kind})") for kind in (0, 1)) for error in (0, 1))
        + "};",
        f"static const unsigned RECORDED_REMAPPED[] = {_numbers(one('nvmlDeviceGetRemappedRows()'))};",
        f"#define RECORDED_MIG_MODE {one('nvmlDeviceGetMigMode()')[0]}",
        f"#define RECORDED_EVENT_TYPES {one('nvmlDeviceGetSupportedEventTypes()')}",
        f"#define RECORDED_PROCESSES {len(processes)}",
        f"static const unsigned RECORDED_PIDS[] = {_numbers(row['pid'] for row in processes)};",
        f"static const unsigned long long RECORDED_PROCESS_MEMORY[] = {_numbers(row['usedGpuMemory'] for row in processes)};",
        f"#define RECORDED_SAMPLES {len(samples)}",
        "static const nvmlProcessUtilizationSample_t RECORDED_SAMPLE[] = {"
        + ", ".join(_numbers(row.values()) for row in samples)
        + "};",
        f"#define RECORDED_COST_UTILIZATION {cost['UtilizationRates']}",
        f"#define RECORDED_COST_MEMORY {cost['MemoryInfo']}",
        f"#define RECORDED_COST_POWER {cost['PowerUsage']}",
        f"#define RECORDED_COST_TEMPERATURE {cost['Temperature']}",
        f"#define RECORDED_COST_CLOCK {cost['ClockInfo']}",
        f"#define RECORDED_COST_REASONS {cost['ClocksEventReasons']}",
        f"#define RECORDED_COST_ECC {cost['EccTotal']}",
        f"#define RECORDED_COST_LIST {cost['ComputeRunningProcesses']}",
        f"#define RECORDED_COST_EMPTY_LIST {told['cost_idle']['ComputeRunningProcesses']['median_us']}",
        f"#define RECORDED_COST_PROCESS_UTILIZATION {cost['ProcessUtilization']}",
        f"#define RECORDED_COST_OTHER {cost['nvmlSystemGetDriverVersion']}",
    ]
    return "\n".join([*lines, ""])


def _numbers(values: Iterable[int]) -> str:
    return "{" + ", ".join(f"{value}ull" for value in values) + "}"
