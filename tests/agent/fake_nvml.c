/* Stands in for NVIDIA's libnvidia-ml.so.1. Structures and numbers as in NVIDIA's nvml.h.
 *
 * At each call it reads the file that FAKE_NVML names, lines `key=value`: tests change it while
 * the library is loaded. A value `!15` is that error; a key that is not there is "not supported".
 * `hang=1` lets every call wait until that is gone. A session is as old as `generation`: another
 * number is a driver that was loaded anew. Each nvmlInit and nvmlShutdown is a line in the file
 * with `.calls` at its end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7,
       NOT_LOADED = 9, OTHER_VERSION = 25 };
typedef struct { int gpu, mig; } Device;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } Memory2;
typedef struct { unsigned gpu, memory; } Load;
typedef struct { unsigned version; int sensor, celsius; } Temperature;
typedef struct { unsigned pid; unsigned long long used; unsigned gi, ci; } Process;
typedef struct {
    unsigned multiprocessors, copy, decoders, encoders, jpeg, ofa, gpuSlices, computeSlices;
    unsigned long long memoryMB;
} Attributes;

static Device devices[16][17];
static long session = -1;

static int text(const char *key, char *out, size_t size) {
    char line[512];
    size_t length = strlen(key);
    int code = NOT_SUPPORTED;
    FILE *file = fopen(getenv("FAKE_NVML"), "r");
    if (!file) return NOT_LOADED;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, key, length) || line[length] != '=') continue;
        line[strcspn(line, "\n")] = 0;
        char *value = line + length + 1;
        code = *value == '!' ? atoi(value + 1) : OK;
        if (code == OK) snprintf(out, size, "%s", value);
        break;
    }
    fclose(file);
    return code;
}

static int number(const char *key, long long *out) {
    char value[64];
    int code = text(key, value, sizeof value);
    if (code == OK) *out = atoll(value);
    return code;
}

static long long or_zero(const char *key) {
    long long found = 0;
    number(key, &found);
    return found;
}

static void note(const char *call) {
    char path[512];
    snprintf(path, sizeof path, "%s.calls", getenv("FAKE_NVML"));
    FILE *file = fopen(path, "a");
    fprintf(file, "%s\n", call);
    fclose(file);
}

static int enter(void) {
    while (or_zero("hang")) usleep(5000);
    return session == or_zero("generation") ? OK : UNINITIALIZED;
}

static const char *key_of(Device *device, const char *field) {
    static char key[128];
    if (device->mig < 0) snprintf(key, sizeof key, "gpu.%d.%s", device->gpu, field);
    else snprintf(key, sizeof key, "gpu.%d.mig.%d.%s", device->gpu, device->mig, field);
    return key;
}

static int text_of(Device *device, const char *field, char *out, unsigned size) {
    int code = enter();
    return code ? code : text(key_of(device, field), out, size);
}

static int number_of(Device *device, const char *field, long long *out) {
    int code = enter();
    return code ? code : number(key_of(device, field), out);
}

static int unsigned_of(Device *device, const char *field, unsigned *out) {
    long long found = 0;
    int code = number_of(device, field, &found);
    if (code == OK) *out = (unsigned)found;
    return code;
}

int nvmlInitWithFlags(unsigned flags) {
    char version[80];
    (void)flags;
    while (or_zero("hang")) usleep(5000);
    int code = text("driver", version, sizeof version);
    if (code == OK) session = or_zero("generation");
    note("init");
    return code;
}

int nvmlShutdown(void) {
    int code = enter();
    session = -1;
    note("shutdown");
    return code;
}

const char *nvmlErrorString(int code) { return code == 4242 ? "made up" : "unknown"; }

int nvmlSystemGetDriverVersion(char *out, unsigned size) {
    int code = enter();
    return code ? code : text("driver", out, size);
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    int code = enter();
    if (code == OK) *count = (unsigned)or_zero("count");
    return code;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **out) {
    long long ignored;
    int code = enter();
    if (code) return code;
    if (index >= 16) return INVALID;
    *out = &devices[index][16];
    **out = (Device){(int)index, -1};
    code = number(key_of(*out, "handle"), &ignored);
    return code == NOT_SUPPORTED ? OK : code;
}

int nvmlDeviceGetName(Device *device, char *out, unsigned size) {
    return text_of(device, "name", out, size);
}

int nvmlDeviceGetUUID(Device *device, char *out, unsigned size) {
    return text_of(device, "uuid", out, size);
}

int nvmlDeviceGetMemoryInfo(Device *device, Memory *out) {
    long long total = 0;
    int code = number_of(device, "total", &total);
    if (code) return code;
    out->total = total;
    out->used = or_zero(key_of(device, "used"));
    out->used += or_zero(key_of(device, "reserved"));
    out->free = out->total - out->used;
    return OK;
}

#ifndef BEFORE_510
int nvmlDeviceGetMemoryInfo_v2(Device *device, Memory2 *out) {
    long long total = 0;
    if (out->version != (sizeof(Memory2) | 2u << 24)) return OTHER_VERSION;
    int code = number_of(device, "total", &total);
    if (code) return code;
    out->total = total;
    out->reserved = or_zero(key_of(device, "reserved"));
    out->used = or_zero(key_of(device, "used"));
    out->free = out->total - out->reserved - out->used;
    return OK;
}
#endif

int nvmlDeviceGetUtilizationRates(Device *device, Load *out) {
    out->memory = 0;
    return unsigned_of(device, "load", &out->gpu);
}

#ifdef BEFORE_510
int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned *out) {
    return sensor ? INVALID : unsigned_of(device, "temperature", out);
}
#else
int nvmlDeviceGetTemperatureV(Device *device, Temperature *out) {
    if (out->version != (sizeof(Temperature) | 1u << 24)) return OTHER_VERSION;
    return out->sensor ? INVALID : unsigned_of(device, "temperature", (unsigned *)&out->celsius);
}
#endif

int nvmlDeviceGetPowerUsage(Device *device, unsigned *out) {
    return unsigned_of(device, "milliwatts", out);
}

int nvmlDeviceGetMigMode(Device *device, unsigned *current, unsigned *pending) {
    *pending = 1;
    return unsigned_of(device, "mig", current);
}

int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *out) {
    return unsigned_of(device, "instances", out);
}

int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned index, Device **out) {
    char uuid[96];
    int code = enter();
    if (code) return code;
    if (index >= 16) return INVALID;
    Device found = {device->gpu, (int)index};
    if (text(key_of(&found, "uuid"), uuid, sizeof uuid)) return NOT_FOUND;
    *out = &devices[device->gpu][index];
    **out = found;
    return OK;
}

int nvmlDeviceGetAttributes_v2(Device *device, Attributes *out) {
    long long slices = 0;
    int code = number_of(device, "slices", &slices);
    if (code) return code;
    memset(out, 0, sizeof *out);
    out->gpuSlices = (unsigned)slices;
    out->computeSlices = (unsigned)or_zero(key_of(device, "compute"));
    out->memoryMB = or_zero(key_of(device, "total")) / 1024 / 1024;
    return OK;
}

/* `pid:bytes pid:bytes`; without bytes they are not told. */
static int processes(Device *device, const char *field, unsigned *count, Process *out) {
    char value[480], *rest = value;
    unsigned found = 0, room = *count;
    int code = text_of(device, field, value, sizeof value);
    if (code) return code;
    for (char *each; (each = strtok_r(rest, " ", &rest)); found++) {
        if (!out || found >= room) continue;
        char *colon = strchr(each, ':');
        out[found] = (Process){atoi(each), colon ? strtoull(colon + 1, 0, 10) : ~0ull, ~0u, ~0u};
    }
    *count = found;
    return found > room ? TOO_SMALL : OK;
}

#ifdef BEFORE_510
#define nvmlDeviceGetComputeRunningProcesses_v3 nvmlDeviceGetComputeRunningProcesses_v2
#define nvmlDeviceGetGraphicsRunningProcesses_v3 nvmlDeviceGetGraphicsRunningProcesses_v2
#endif
int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, Process *out) {
    return processes(device, "compute", count, out);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *device, unsigned *count, Process *out) {
    return processes(device, "graphics", count, out);
}

int nvmlSystemGetProcessName(unsigned pid, char *out, unsigned size) {
    char key[32];
    int code = enter();
    snprintf(key, sizeof key, "process.%u", pid);
    return code ? code : text(key, out, size);
}
