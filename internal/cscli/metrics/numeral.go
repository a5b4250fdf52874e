package metrics

import (
	"fmt"
	"strconv"
)

// numeral writes a number for a cell: a dash for zero, and in brief 3.80k for 3800.
func numeral(n int64, brief bool) string {
	switch {
	case n == 0:
		return "-"
	case !brief || n < 1000:
		return strconv.FormatInt(n, 10)
	}
	scaled := float64(n) / 1000
	units := "kMGTPE"
	for scaled >= 1000 && len(units) > 1 {
		scaled /= 1000
		units = units[1:]
	}
	return fmt.Sprintf("%.2f%c", scaled, units[0])
}
