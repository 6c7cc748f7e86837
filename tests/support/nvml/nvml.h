/* What nvml.c has of NVIDIA's nvml.h, its structures byte for byte, and `struct control`. */
#ifndef STAND_IN_NVML_H
#define STAND_IN_NVML_H

#include <stdint.h>

typedef int nvmlReturn_t;
typedef void *nvmlDevice_t;
typedef void *nvmlEventSet_t;

enum {
    SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, TIMEOUT = 10, GPU_IS_LOST = 15, LIB_RM_VERSION_MISMATCH = 18,
    ARGUMENT_VERSION_MISMATCH = 25
};

typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } nvmlMemory_v2_t;
typedef struct {
    char busIdLegacy[16];
    unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
    char busId[32];
} nvmlPciInfo_t;
/* nvmlProcessInfo_v2_t is the same. */
typedef struct {
    unsigned int pid;
    unsigned long long usedGpuMemory;
    unsigned int gpuInstanceId, computeInstanceId;
} nvmlProcessInfo_t;
typedef struct {
    unsigned int pid;
    unsigned long long timeStamp;
    unsigned int smUtil, memUtil, encUtil, decUtil;
} nvmlProcessUtilizationSample_t;
typedef struct {
    nvmlDevice_t device;
    unsigned long long eventType, eventData;
    unsigned int gpuInstanceId, computeInstanceId;
} nvmlEventData_t;
typedef struct { unsigned int version; int sensorType; int temperature; } nvmlTemperature_v1_t;

#define CARDS 16
#define PIDS 4
#define XIDS 128
#define COUNTERS 64

/* The same as tests/support/nvml/control.py. */
struct control {
    int32_t cards;          /* that the driver has */
    int32_t loaded;         /* 0: as recorded idle, 1: as recorded under load */
    int32_t init_error;     /* what nvmlInit answers */
    int32_t every_error;    /* what every other call answers */
    int32_t hang;           /* calls do not come back */
    int32_t namespaced;     /* lists are empty, as for a caller in a pid namespace */
    int32_t mig;            /* cards are divided in two */
    int32_t list_denied;    /* a divided card lists nothing to us as a whole */
    int32_t bare;           /* cards have no more than a name and memory */
    int32_t memory_unknown; /* of processes: [N/A] in nvidia-smi */
    int32_t graphics;       /* processes draw as well as compute */
    int32_t no_events;      /* cards report no Xid */
    int32_t stale;          /* where one sample is new, old ones come along */
    int32_t cost;           /* calls take as long as recorded, with the processor busy */
    int32_t moving;         /* figures differ from second to second, and from card to card */
    int32_t lost[CARDS];    /* what every call of this card answers */
    int32_t absent[CARDS];  /* not there when the library begins */
    uint32_t pids[PIDS];    /* who the recorded processes are; 0: as recorded */
    int64_t shift;          /* microseconds that the samples are newer than recorded */
    int32_t xid_count;
    int32_t xids[XIDS][2];  /* card, number: each is told once */
    char module[32];        /* version of the kernel module; empty: it is not loaded */
    struct { char name[56]; uint64_t calls; } counters[COUNTERS];
};

#endif
