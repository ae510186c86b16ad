/* Standard normal (Box and Muller 1958). */
static void P_normal_double(const P_draw *draw, double *values, long count)
{
    uint32_t words[4], low[4];
    for (long at = 0; at < count; ++at) {
        if (at % 4 == 0) {
            P_philox(draw, (uint32_t)(at / 4), draw->scan_step, words);
            P_philox(draw, (uint32_t)(at / 4), draw->scan_step | 0x80000000u, low);
        }
        const long first = at % 4 < 2 ? 0 : 2;
        const uint64_t high = ((uint64_t)words[first] << 32 | low[first]) >> 11;
        const uint64_t other = ((uint64_t)words[first + 1] << 32 | low[first + 1]) >> 11;
        const double u = (double)high * (1.0 / 9007199254740992.0) + 1.0 / 9007199254740992.0;
        const double t = (double)other * (1.0 / 9007199254740992.0);
        const double radius = sqrt(-2.0 * log(u)), angle = 6.283185307179586 * t;
        values[at] = at % 2 == 0 ? radius * cos(angle) : radius * sin(angle);
    }
}

