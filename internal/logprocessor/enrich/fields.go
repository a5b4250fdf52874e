package enrich

// Fields returns the fields of an event that a method may fill in, below the event; none for an unknown method.
func Fields(method string) []string {
	switch method {
	case "ParseDate":
		return []string{"Enriched.MarshaledTime", "Time"}
	case "UnmarshalJSON":
		return []string{"Unmarshaled"}
	case "GeoIpCity":
		return []string{"Enriched.IsInEU", "Enriched.IsoCode", "Enriched.Latitude", "Enriched.Longitude"}
	case "GeoIpASN":
		return []string{"Enriched.ASNNumber", "Enriched.ASNOrg", "Enriched.ASNumber"}
	case "IpToRange":
		return []string{"Enriched.SourceRange"}
	case "reverse_dns":
		return []string{"Enriched.reverse_dns"}
	}
	return nil
}
