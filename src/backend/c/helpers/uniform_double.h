/* In [0, 1). */
static void P_uniform_double(const P_draw *draw, double *values, long count)
{
    uint32_t words[4], low[4];
    for (long at = 0; at < count; ++at) {
        if (at % 4 == 0) {
            P_philox(draw, (uint32_t)(at / 4), draw->scan_step, words);
            P_philox(draw, (uint32_t)(at / 4), draw->scan_step | 0x80000000u, low);
        }
        const uint64_t word = ((uint64_t)words[at % 4] << 32 | low[at % 4]) >> 11;
        values[at] = (double)word * (1.0 / 9007199254740992.0);
    }
}

