package remediation

// Families returns what a backend makes of each address family that is enabled, IPv4 first.
func Families[Side any](ipv4, ipv6 bool, side func(ipv6 bool) Side) []Side {
	var sides []Side
	if ipv4 {
		sides = append(sides, side(false))
	}
	if ipv6 {
		sides = append(sides, side(true))
	}
	return sides
}
