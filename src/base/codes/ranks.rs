//! E09xx: processes that train together.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0930",
        title: "a training without shards among several processes",
        explain: "\
A step sums over the rows of a batch, and floats summed in another order give other last bits. So that results do not
depend on how many processes take part, the training says into how many parts its batches are divided. Each part is
summed by itself, and the parts in one order; up to so many processes compute them, and one process does the same.
    train { data = d.train, batch = 64 ... }                     # one process
    train { data = d.train, batch = 64, shards = 8 ... }         # 1 to 8 processes, the same bits
    mpirun -n 4 nnc run FILE.nn --set train.shards=8             # without a change of the file",
    },
    Code {
        code: "E0931",
        title: "more processes than shards",
        explain: "\
Each process computes at least one of the parts that batches are divided into. More shards allow more processes; they
change the order of sums, and so the last bits of results.
    mpirun -n 16 nnc run FILE.nn --set train.shards=8            # wrong: 16 processes, 8 parts
    mpirun -n 16 nnc run FILE.nn --set train.shards=16           # right",
    },
    Code {
        code: "E0932",
        title: "no library that joins the processes",
        explain: "\
`nnc` was begun several times by a launcher (`mpirun`, `mpiexec`, `srun`), but the MPI library that belongs to it cannot
be opened, or does not join the processes. Install the library, or say where it is:
    apt-get install openmpi-bin                                  # or mpich
    NNC_MPI=/opt/mpi/lib/libmpi.so.40 mpirun -n 4 nnc run FILE.nn",
    },
    Code {
        code: "E0933",
        title: "processes that do not train the same",
        explain: "\
All processes of a training need the same program, data, seed, options and version of `nnc`, and processors with the
same vectors, since otherwise results would depend on who computes what. The notes say what differs, and where. Often a
file was changed on one computer and not on another: keep files where all computers read them.
    mpirun -n 4 nnc run /shared/FILE.nn",
    },
    Code {
        code: "E0934",
        title: "a process is gone",
        explain: "\
One of the processes of a training was killed, has crashed, has failed, or says nothing any more; the others cannot go on
without it. The file of `--save` and the folder of the run are as they were written last:
    mpirun -n 4 nnc run FILE.nn --resume model.safetensors
    mpirun -n 4 nnc resume runs/FILE-1",
    },
    Code {
        code: "E0936",
        title: "a training that cannot be written as StableHLO",
        explain: "\
`nnc export --stablehlo` writes the step of a training in the language of XLA. It says everything that a step of this
language can do but the place of the greatest element among elements that are written at computed places, and sizes that
are not known before the program runs.
    nnc export FILE.nn --stablehlo FOLDER",
    },
    Code {
        code: "E0937",
        title: "a model that cannot be written as an object file",
        explain: "\
`nnc export --object` writes the machine code of a model, which calls nothing of nnc. It cannot draw random numbers, and
the back end must be one that makes machine code for this processor. C can do everything:
    nnc export FILE.nn --weights FILE --object FOLDER --backend interpreter     # that is no machine code
    nnc export FILE.nn --weights FILE --object FOLDER --backend avx2
    nnc export FILE.nn --weights FILE --c FOLDER",
    },
];
