/* Standard normal (Box and Muller 1958), computed in 64 bits. */
static void P_normal_float(const P_draw *draw, float *values, long count)
{
    uint32_t words[4];
    for (long at = 0; at < count; ++at) {
        if (at % 4 == 0) P_philox(draw, (uint32_t)(at / 4), draw->scan_step, words);
        const long first = at % 4 < 2 ? 0 : 2;
        const double u = (double)((float)(words[first] >> 8) * (1.0f / 16777216.0f)) + 1.0 / 16777216.0;
        const double t = (double)((float)(words[first + 1] >> 8) * (1.0f / 16777216.0f));
        const double radius = sqrt(-2.0 * log(u)), angle = 6.283185307179586 * t;
        values[at] = (float)(at % 2 == 0 ? radius * cos(angle) : radius * sin(angle));
    }
}

