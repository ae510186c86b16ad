/* In [0, 1). */
static void P_uniform_float(const P_draw *draw, float *values, long count)
{
    uint32_t words[4];
    for (long at = 0; at < count; ++at) {
        if (at % 4 == 0) P_philox(draw, (uint32_t)(at / 4), draw->scan_step, words);
        values[at] = (float)(words[at % 4] >> 8) * (1.0f / 16777216.0f);
    }
}

