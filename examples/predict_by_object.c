/* A network as an object file, in a program of C.

       nnc run models/iris.nn --save iris.safetensors
       nnc export models/iris.nn --weights iris.safetensors --object build
       cc -Ibuild examples/predict_by_object.c build/iris.o -lm -o predict && ./predict 5.1 3.5 1.4 0.2 */
#include "iris.h"

#include <stdio.h>
#include <stdlib.h>

static iris_memory memory;

int main(int count, char **arguments)
{
    iris_row row;
    iris_result result;
    const int inputs = (int)(sizeof row.x / sizeof row.x[0]);
    if (count != inputs + 1) {
        fprintf(stderr, "say %d numbers\n", inputs);
        return 2;
    }
    for (int at = 0; at < inputs; ++at) row.x[at] = strtod(arguments[at + 1], NULL);
    if (iris_predict(&memory, &row, &result) != 0) return 1;
    printf("class %d\n", iris_class(&result));
    return 0;
}
