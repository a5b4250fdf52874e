package event

// Logs are full of dates, and many fields repeat them. The 19 bytes "2006-01-02T15:04:05" are packed as one
// number, digit by digit: every text comes back as it was, whether or not the calendar knows such a day.

// dateShape is where digits are.
const dateShape = "0000-00-00T00:00:00"

// maxDateLength is that of a date and what may follow it.
const maxDateLength = len(dateShape) + len(".000000000+00:00")

// The base of each of the numbers after the year: values from 0, as they are written.
const (
	months, days, hours, minutes, seconds = 13, 32, 24, 60, 61
	firstYear                             = 1970
	maxDate                               = (10_000 - firstYear) * months * days * hours * minutes * seconds
)

// cutDate returns the number of the date that a text begins with, and what follows it. A rest that begins with
// a date again is none of ours.
func cutDate(text string) (number uint64, rest string, ok bool) {
	if len(text) < len(dateShape) || len(text) > maxDateLength || !hasDateShape(text) {
		return 0, "", false
	}
	year := digits(text[0:4])
	if year < firstYear {
		return 0, "", false
	}
	number = year - firstYear
	for _, next := range [...]struct{ value, base uint64 }{
		{digits(text[5:7]), months}, {digits(text[8:10]), days}, {digits(text[11:13]), hours}, {digits(text[14:16]), minutes}, {digits(text[17:19]), seconds},
	} {
		if next.value >= next.base {
			return 0, "", false
		}
		number = number*next.base + next.value
	}
	return number, text[len(dateShape):], true
}

// joinDate undoes cutDate, for numbers below maxDate.
func joinDate(number uint64, rest string) string {
	text := make([]byte, 0, len(dateShape)+len(rest))
	text = append(append(text, dateShape...), rest...)
	for _, next := range [...]struct {
		base uint64
		at   int
	}{{seconds, 17}, {minutes, 14}, {hours, 11}, {days, 8}, {months, 5}} {
		putDigits(text[next.at:next.at+2], number%next.base)
		number /= next.base
	}
	putDigits(text[0:4], number+firstYear)
	return string(text)
}

func hasDateShape(text string) bool {
	for i := range len(dateShape) {
		if want := dateShape[i]; want != text[i] && (want != '0' || text[i] < '0' || text[i] > '9') {
			return false
		}
	}
	return true
}

func digits(text string) uint64 {
	var value uint64
	for i := range len(text) {
		value = value*10 + uint64(text[i]-'0')
	}
	return value
}

func putDigits(into []byte, value uint64) {
	for i := len(into) - 1; i >= 0; i-- {
		into[i] = '0' + byte(value%10)
		value /= 10
	}
}
