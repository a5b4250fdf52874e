package multimatch_test

import (
	"fmt"
	"strings"
	"testing"

	"shieldwall/internal/expression/multimatch"
)

// words returns count literals that look like names of tools and plugins, the shortest of four bytes.
func words(count int) []string {
	syllables := []string{"bo", "scan", "zer", "Craw", "ler", "net", "Go", "get", "Xe", "nu", "tik", "map", "py", "ra"}
	list := make([]string, count)
	for i := range list {
		var word strings.Builder
		for n := i*7 + 200; n > 0; n /= len(syllables) {
			word.WriteString(syllables[n%len(syllables)])
		}
		list[i] = word.String()
	}
	return list
}

func BenchmarkAny(b *testing.B) {
	texts := []struct{ name, text string }{
		{"path", "/blog/post-217?page=2"},
		{"agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"},
	}
	for _, count := range []int{10, 100, 1000} {
		literals := words(count)
		for _, text := range texts {
			for _, fold := range []bool{false, true} {
				b.Run(fmt.Sprintf("set/%s/%d/fold=%v", text.name, count, fold), func(b *testing.B) {
					set := multimatch.New(literals, fold)
					b.SetBytes(int64(len(text.text)))
					for b.Loop() {
						set.Any(text.text)
					}
				})
			}
			b.Run(fmt.Sprintf("loop/%s/%d", text.name, count), func(b *testing.B) {
				b.SetBytes(int64(len(text.text)))
				for b.Loop() {
					for _, literal := range literals {
						if strings.Contains(text.text, literal) {
							break
						}
					}
				}
			})
		}
	}
}

func BenchmarkSuffixes(b *testing.B) {
	suffixes := multimatch.NewSuffixes(words(100), false)
	for b.Loop() {
		suffixes.Any("/blog/post-217?page=2")
	}
}

func BenchmarkNew(b *testing.B) {
	for _, count := range []int{100, 1000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			literals := words(count)
			b.ReportAllocs()
			for b.Loop() {
				multimatch.New(literals, false)
			}
		})
	}
}
