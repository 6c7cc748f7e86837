/* A libnvidia-ml.so.1 for machines without a GPU: the real ABI (nvml.h of driver 580), called by the official Python package.
 *
 * Every value that a card tells is one that a real H100 told: RECORDED_* come from tests/recordings/gpu/nvml.json, [0] idle and
 * [1] under load. Several cards are that one card again, told apart by index, UUID and bus. What the machine does (cards lost,
 * driver gone, a call that hangs) stands in a file that is mapped into this process and into the test: `struct control`.
 *
 * There is no recording of a card divided by MIG. Its functions and structures are those of nvml.h, its profiles and their
 * memory those that the recorded card offers (nvidia-smi-idle-mig.txt), the ids are made up.
 *
 * -DMODULE_WANTED="..." is the kernel module that this library understands. -DOLD leaves out what came with drivers 510 and 535.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "nvml.h"

#include "recorded.h"

static struct control *control;
static int begun;
static uintptr_t generation = 1; /* handles of an earlier nvmlInit are void */
static uintptr_t watched[CARDS];
static int watched_count;

__attribute__((constructor)) static void map_control(void) {
    const char *path = getenv("NVML_STAND_IN");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) {
        fprintf(stderr, "NVML_STAND_IN names no file\n");
        abort();
    }
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (control == MAP_FAILED) abort();
}

static void spin(double microseconds) {
    struct timespec from, now;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - from.tv_sec) * 1e6 + (now.tv_nsec - from.tv_nsec) / 1e3 < microseconds);
}

static nvmlReturn_t enter(int *slot, const char *name, double cost) {
    if (*slot < 0) {
        int free = 0;
        while (control->counters[free].name[0] && strcmp(control->counters[free].name, name)) free++;
        strncpy(control->counters[free].name, name, sizeof control->counters[free].name - 1);
        *slot = free;
    }
    control->counters[*slot].calls++;
    while (control->hang) usleep(1000);
    if (control->cost) spin(cost);
    return SUCCESS;
}

#define COUNT(cost) \
    static int slot = -1; \
    enter(&slot, __func__, cost)
#define BEGUN(cost) \
    COUNT(cost); \
    if (!begun) return UNINITIALIZED; \
    if (control->every_error) return control->every_error
/* Before anything a card tells: whether the handle is one, and whether the card is still there. */
#define CARD(cost) \
    BEGUN(cost); \
    if ((uintptr_t)device >> 16 != generation) return INVALID_ARGUMENT; \
    int card = ((uintptr_t)device >> 8) & 0xff; \
    int slice = (int)(((uintptr_t)device >> 4) & 0xf) - 1; \
    if (control->lost[card]) return control->lost[card]; \
    if (slice >= 0 && !control->mig) return INVALID_ARGUMENT; \
    (void)slice
#define WHOLE(cost) \
    CARD(cost); \
    if (control->bare) return NOT_SUPPORTED

static int state(void) { return control->loaded != 0; }

/* 0 to `most` - 1: the same within a second; nothing where figures stand still. */
static unsigned int moved(int card, unsigned int most) {
    struct timespec now;
    if (!control->moving) return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((unsigned int)now.tv_sec * 2654435761u + (unsigned int)card * 40503u) / 65536u % most;
}

static nvmlDevice_t handle(int card, int slice) {
    return (nvmlDevice_t)(generation << 16 | (uintptr_t)card << 8 | (uintptr_t)(slice + 1) << 4 | 1);
}

static const struct { unsigned int instance; const char *name; unsigned long long total; } SLICES[] = {
    {7, "MIG 1g.10gb", (unsigned long long)(9.75 * 1073741824)},
    {1, "MIG 3g.40gb", (unsigned long long)(39.50 * 1073741824)},
};

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    COUNT(RECORDED_INIT_US);
    (void)flags;
    if (!control->module[0]) return DRIVER_NOT_LOADED;
    if (strcmp(control->module, MODULE_WANTED)) return LIB_RM_VERSION_MISMATCH;
    if (control->init_error) return control->init_error;
    begun = 1;
    return SUCCESS;
}

nvmlReturn_t nvmlShutdown(void) {
    COUNT(0);
    if (!begun) return UNINITIALIZED;
    begun = 0;
    generation++;
    watched_count = 0;
    return SUCCESS;
}

const char *nvmlErrorString(nvmlReturn_t result) { return result == 999 ? "Unknown Error" : "An error of the stand-in"; }

static nvmlReturn_t text(char *out, unsigned int size, const char *value) {
    if (strlen(value) >= size) return INSUFFICIENT_SIZE;
    strcpy(out, value);
    return SUCCESS;
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    BEGUN(0);
    return text(version, length, control->module);
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) {
    BEGUN(0);
    *version = RECORDED_CUDA;
    return SUCCESS;
}

static int place_of(int card) {
    int place = 0;
    for (int i = 0; i < card; i++) place += !control->absent[i];
    return place;
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    BEGUN(0);
    *count = place_of(control->cards);
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    BEGUN(0);
    for (int card = 0; card < control->cards; card++) {
        if (control->absent[card] || place_of(card) != (int)index) continue;
        if (control->lost[card]) return control->lost[card];
        *device = handle(card, -1);
        return SUCCESS;
    }
    return INVALID_ARGUMENT;
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
    CARD(0);
    char whole[96];
    snprintf(whole, sizeof whole, "%s%s%s", RECORDED_NAME, slice < 0 ? "" : " ", slice < 0 ? "" : SLICES[slice].name);
    return text(name, length, whole);
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
    CARD(0);
    char own[96];
    snprintf(own, sizeof own, "%s", RECORDED_UUID);
    size_t end = strlen(own);
    if (card) {
        own[end - 2] = (char)('0' + card / 10);
        own[end - 1] = (char)('0' + card % 10);
    }
    if (slice >= 0) {
        memcpy(own, "MIG", 3);
        own[end - 3] = (char)('a' + slice);
    }
    return text(uuid, length, own);
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *info) {
    CARD(0);
    memset(info, 0, sizeof *info);
    info->domain = RECORDED_DOMAIN;
    info->bus = RECORDED_BUS;
    info->device = RECORDED_DEVICE + card;
    info->pciDeviceId = RECORDED_PCI_DEVICE_ID;
    info->pciSubSystemId = RECORDED_PCI_SUB_SYSTEM_ID;
    snprintf(info->busIdLegacy, sizeof info->busIdLegacy, "%04x:%02x:%02x.0", info->domain, info->bus, info->device);
    snprintf(info->busId, sizeof info->busId, "%08x:%02x:%02x.0", info->domain, info->bus, info->device);
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *use) {
    WHOLE(RECORDED_COST_UTILIZATION);
    if (control->mig) return NOT_SUPPORTED;
    use->gpu = RECORDED_UTILIZATION_GPU[state()] - (state() ? moved(card, 30) : 0);
    use->memory = RECORDED_UTILIZATION_MEMORY[state()];
    return SUCCESS;
}

static unsigned long long memory_of(int process) { return RECORDED_PROCESS_MEMORY[process]; }
static int slice_of(int process) { return process != 0; }

static unsigned long long held_in(int slice) {
    unsigned long long sum = 0;
    for (int i = 0; state() && i < RECORDED_PROCESSES; i++)
        if (slice_of(i) == slice) sum += memory_of(i);
    return sum;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    CARD(RECORDED_COST_MEMORY);
    memory->total = slice < 0 ? RECORDED_MEMORY_TOTAL : SLICES[slice].total;
    memory->used = slice < 0 ? RECORDED_MEMORY_V1_USED[state()] : held_in(slice);
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *power) {
    WHOLE(RECORDED_COST_POWER);
    *power = RECORDED_POWER[state()] + moved(card, 100) * 1000;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *limit) {
    WHOLE(RECORDED_COST_OTHER);
    *limit = RECORDED_POWER_LIMIT;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned int *temperature) {
    WHOLE(RECORDED_COST_TEMPERATURE);
    if (sensor) return INVALID_ARGUMENT;
    *temperature = RECORDED_TEMPERATURE[state()] + moved(card, 5);
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetTemperatureThreshold(nvmlDevice_t device, int kind, unsigned int *temperature) {
    WHOLE(RECORDED_COST_OTHER);
    if (kind < 0 || kind > 3) return NOT_SUPPORTED;
    *temperature = RECORDED_THRESHOLDS[kind];
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int kind, unsigned int *clock) {
    WHOLE(RECORDED_COST_CLOCK);
    if (kind < 0 || kind > 3) return INVALID_ARGUMENT;
    *clock = RECORDED_CLOCKS[state()][kind];
    return SUCCESS;
}

static nvmlReturn_t reasons_of(unsigned long long *reasons) {
    *reasons = RECORDED_REASONS[state()];
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *reasons) {
    WHOLE(RECORDED_COST_REASONS);
    return reasons_of(reasons);
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, int error, int counter, unsigned long long *count) {
    WHOLE(RECORDED_COST_ECC);
    if (error < 0 || error > 1 || counter < 0 || counter > 1) return INVALID_ARGUMENT;
    *count = RECORDED_ECC[error][counter];
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetRemappedRows(
    nvmlDevice_t device, unsigned int *correctable, unsigned int *uncorrectable, unsigned int *pending, unsigned int *failed) {
    WHOLE(RECORDED_COST_OTHER);
    *correctable = RECORDED_REMAPPED[0];
    *uncorrectable = RECORDED_REMAPPED[1];
    *pending = RECORDED_REMAPPED[2];
    *failed = RECORDED_REMAPPED[3];
    return SUCCESS;
}

static unsigned int pid_of(int process) {
    return control->pids[process] ? control->pids[process] : RECORDED_PIDS[process];
}

static nvmlReturn_t list(int card, int slice, int empty, unsigned int *count, nvmlProcessInfo_t *infos) {
    (void)card;
    unsigned int found = 0, room = *count;
    if (slice < 0 && control->mig && control->list_denied) return NO_PERMISSION;
    int processes = empty || !state() || control->namespaced ? 0 : RECORDED_PROCESSES;
    for (int i = 0; i < processes; i++) {
        if (slice >= 0 && slice_of(i) != slice) continue;
        if (found < room && infos) {
            unsigned int instance = control->mig ? SLICES[slice_of(i)].instance : 0xffffffffu;
            unsigned long long memory = control->memory_unknown ? ~0ull : memory_of(i);
            infos[found] = (nvmlProcessInfo_t){pid_of(i), memory, instance, control->mig ? 0 : 0xffffffffu};
        }
        found++;
    }
    *count = found;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

/* The package asks twice, for the size and for the list; what was recorded is both together. */
#define LIST(name, empty) \
    nvmlReturn_t name(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *infos) { \
        CARD((empty) || !state() ? RECORDED_COST_EMPTY_LIST : infos ? RECORDED_COST_LIST : 0); \
        return list(card, slice, empty, count, infos); \
    }
LIST(nvmlDeviceGetComputeRunningProcesses_v2, 0)
LIST(nvmlDeviceGetGraphicsRunningProcesses_v2, !control->graphics)
LIST(nvmlDeviceGetMPSComputeRunningProcesses_v2, 1)

#ifndef OLD
LIST(nvmlDeviceGetComputeRunningProcesses_v3, 0)
LIST(nvmlDeviceGetGraphicsRunningProcesses_v3, !control->graphics)
LIST(nvmlDeviceGetMPSComputeRunningProcesses_v3, 1)

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory) {
    CARD(RECORDED_COST_MEMORY);
    if (memory->version != RECORDED_MEMORY_V2_VERSION) return ARGUMENT_VERSION_MISMATCH;
    memory->total = slice < 0 ? RECORDED_MEMORY_TOTAL : SLICES[slice].total;
    memory->reserved = slice < 0 ? RECORDED_MEMORY_RESERVED : 0;
    memory->used = slice < 0 ? RECORDED_MEMORY_V2_USED[state()] + moved(card, 64) * 16777216ull : held_in(slice);
    memory->free = memory->total - memory->reserved - memory->used;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *reasons) {
    WHOLE(RECORDED_COST_REASONS);
    return reasons_of(reasons);
}

nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, nvmlTemperature_v1_t *temperature) {
    WHOLE(RECORDED_COST_TEMPERATURE);
    temperature->temperature = RECORDED_TEMPERATURE[state()] + moved(card, 5);
    return SUCCESS;
}
#endif

nvmlReturn_t nvmlDeviceGetProcessUtilization(
    nvmlDevice_t device, nvmlProcessUtilizationSample_t *samples, unsigned int *count, unsigned long long since) {
    WHOLE(samples || !state() ? RECORDED_COST_PROCESS_UTILIZATION : 0);
    if (control->mig) return NOT_SUPPORTED;
    unsigned int found = 0, room = *count, fresh = 0;
    for (int i = 0; state() && i < RECORDED_SAMPLES; i++) {
        unsigned long long at = RECORDED_SAMPLE[i].timeStamp + control->shift;
        fresh += at > since;
        if (at <= since && !(control->stale && fresh)) continue;
        if (samples && found < room) {
            samples[found] = RECORDED_SAMPLE[i];
            samples[found].timeStamp = at;
            for (int j = 0; j < RECORDED_PROCESSES; j++)
                if (RECORDED_PIDS[j] == RECORDED_SAMPLE[i].pid) samples[found].pid = pid_of(j);
        }
        found++;
    }
    *count = found;
    if (!found) return NOT_FOUND;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    WHOLE(RECORDED_COST_OTHER);
    *current = *pending = control->mig ? 1 : RECORDED_MIG_MODE;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
    WHOLE(RECORDED_COST_OTHER);
    *count = control->mig ? 7 : 0;
    return SUCCESS;
}

/* Places may be empty in the middle: the second instance is the fourth. */
nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *mig) {
    WHOLE(RECORDED_COST_OTHER);
    if (!control->mig || (index != 0 && index != 3)) return NOT_FOUND;
    *mig = handle(card, index == 3);
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t device, unsigned int *id) {
    CARD(RECORDED_COST_OTHER);
    if (slice < 0) return NOT_SUPPORTED;
    *id = SLICES[slice].instance;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetSupportedEventTypes(nvmlDevice_t device, unsigned long long *types) {
    CARD(RECORDED_COST_OTHER);
    *types = control->no_events || control->bare ? 0 : RECORDED_EVENT_TYPES;
    return SUCCESS;
}

nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set) {
    BEGUN(0);
    *set = watched;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, nvmlEventSet_t set) {
    CARD(0);
    if (control->no_events || types & ~(unsigned long long)RECORDED_EVENT_TYPES || set != (nvmlEventSet_t)watched)
        return NOT_SUPPORTED;
    watched[watched_count++] = (uintptr_t)device;
    return SUCCESS;
}

nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t *data, unsigned int patience) {
    BEGUN(RECORDED_COST_OTHER);
    if (set != (nvmlEventSet_t)watched) return INVALID_ARGUMENT;
    for (int i = 0; i < control->cards; i++)
        if (control->lost[i] == GPU_IS_LOST) return GPU_IS_LOST;
    if (!control->xid_count) {
        if (patience) usleep(patience * 1000);
        return TIMEOUT;
    }
    nvmlDevice_t device = handle(control->xids[0][0], -1);
    *data = (nvmlEventData_t){device, 8, (unsigned long long)control->xids[0][1], 0xffffffffu, 0xffffffffu};
    memmove(control->xids[0], control->xids[1], sizeof control->xids - sizeof control->xids[0]);
    control->xid_count--;
    return SUCCESS;
}

nvmlReturn_t nvmlEventSetFree(nvmlEventSet_t set) {
    BEGUN(0);
    return set == (nvmlEventSet_t)watched ? SUCCESS : INVALID_ARGUMENT;
}
