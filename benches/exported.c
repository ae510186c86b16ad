/* How long an exported network takes for a row and for a step of training, in microseconds: the fastest of many
   parts of the time. `.ci/c speed` compiles it with

       -DNAME=net -DHEADER='"net.h"'      what `nnc export --name net --train` wrote
       -DX='unit()' -DY='below(10)'       what an element of the fields `x` and `y` is

   It prints the two times and the loss after the last step. */
#define _POSIX_C_SOURCE 199309L
#include HEADER

#include <stdio.h>
#include <time.h>

#define JOIN(a, b) a##b
#define WITH(name, part) JOIN(name, part)
#define OF(part) WITH(NAME, part)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static OF(_memory) memory;
static OF(_network) network;
static OF(_batch) batch;
static OF(_report) report;
static OF(_row) row;
static OF(_result) result;

static uint64_t state = 1;

static int below(int bound)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (int)((state >> 33) % (uint64_t)bound);
}

static inline float unit(void)
{
    return (float)below(1000) / 1000;
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec * 1e-3;
}

static int predict(void)
{
    return OF(_predict)(&memory, &network, &row, &result);
}

static int train(void)
{
    return OF(_train_step)(&memory, &network, &batch, &report);
}

/* Microseconds of a call: the fastest of parts that take a thousandth of a second or more. */
static double fastest(int (*call)(void))
{
    double best = 1e30;
    const double end = now() + 1.5e6;
    int calls = 1;
    while (now() < end) {
        const double begun = now();
        double taken;
        for (int at = 0; at < calls; ++at) if (call()) return -1;
        taken = now() - begun;
        if (taken < 1000) calls *= 2;
        if (taken / calls < best && taken >= 500) best = taken / calls;
    }
    return best;
}

int main(void)
{
    double once, step;
    for (size_t at = 0; at < COUNT(batch.x); ++at) batch.x[at] = X;
    for (size_t at = 0; at < COUNT(batch.y); ++at) batch.y[at] = Y;
    for (size_t at = 0; at < COUNT(row.x); ++at) row.x[at] = X;
    if (OF(_init)(&memory, &network, 1)) return 1;
    once = fastest(predict);
    step = fastest(train);
    printf("%.2f %.1f %.5f\n", once, step, (double)report.loss);
    return once < 0 || step < 0;
}
