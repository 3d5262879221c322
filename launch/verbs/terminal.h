// What the user sees: whether it is a terminal, colours, and text that must not control it.
#pragma once

#include <string>
#include <string_view>

namespace rim {

// Descriptors as in unistd.h: 1 is stdout, 2 is stderr; under Open MPI's mpirun, mpirun's. Local.
// A terminal that understands control sequences (TERM=dumb does not).
bool is_terminal(int descriptor);
// Such a terminal that has not asked for no colour (NO_COLOR set to anything). See no-color.org.
bool wants_colour(int descriptor);
// Columns of the terminal; 80 where they are not known.
int terminal_width(int descriptor);

// The text with control characters but tab taken out (newlines too), so that no file name or model output can move the
// cursor or hide a line.
std::string printable(std::string_view text);

// "1,234,567".
std::string grouped(long long value);
// "1.2 GiB", "640 MiB", "12 B".
std::string byte_text(double bytes);
// "1 h 02 min", "3 min 20 s", "12 s".
std::string duration_text(double seconds);
// printf's %.*g and %.*f.
std::string short_number(double value, int significant_digits);
std::string fixed_number(double value, int decimals);

}  // namespace rim
