/* Trains a network from one C file, without nnc: what `nnc export --train` writes of models/xor.nn.

       nnc run models/xor.nn --save xor.safetensors
       nnc export models/xor.nn --weights xor.safetensors --c build --train
       gcc -std=c99 -Ibuild examples/train_on_device.c build/xor.c -lm -o train_on_device */
#include "xor.h"

#include <stdio.h>

static xor_memory memory;
static xor_network network;

int main(void)
{
    static const float inputs[4][2] = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } };
    static xor_batch batch;
    xor_report report;
    for (int row = 0; row < 4; ++row) {
        batch.x[2 * row] = inputs[row][0];
        batch.x[2 * row + 1] = inputs[row][1];
        batch.y[row] = inputs[row][0] != inputs[row][1];
    }
    if (xor_init(&memory, &network, 1) != 0) return 1;
    for (int step = 1; step <= 1000; ++step) {
        if (xor_train_step(&memory, &network, &batch, &report) != 0) return 1;
        if (step % 200 == 0) printf("step %d: loss %.4f\n", step, (double)report.loss);
    }
    for (int row = 0; row < 4; ++row) {
        xor_row given;
        xor_result result;
        given.x[0] = inputs[row][0];
        given.x[1] = inputs[row][1];
        if (xor_predict(&memory, &network, &given, &result) != 0) return 1;
        printf("%g xor %g: %+.2f\n", (double)given.x[0], (double)given.x[1], (double)result.score_of_y[0]);
    }
    return 0;
}
