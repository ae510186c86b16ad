/* Random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011). They depend on seed, stream, step of the
   training, step of a recurrence and element, and on nothing else. */
typedef struct { uint64_t seed; uint32_t stream, step, scan_step; } P_draw;

static void P_philox(const P_draw *draw, uint32_t block, uint32_t scan_step, uint32_t words[4])
{
    uint32_t c0 = block, c1 = scan_step, c2 = draw->step, c3 = draw->stream;
    uint32_t k0 = (uint32_t)draw->seed, k1 = (uint32_t)(draw->seed >> 32);
    for (int round = 0; round < 10; ++round) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

