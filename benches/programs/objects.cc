// C++ of everyday kind: strings, hash tables, virtual calls, exceptions, small allocations.
#include <cstdio>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <map>
#include <vector>
#include <algorithm>

struct Shape {
    virtual ~Shape() = default;
    virtual std::int64_t area() const = 0;
};
struct Square : Shape {
    explicit Square(int side) : side(side) {}
    std::int64_t area() const override { return std::int64_t{side} * side; }
    int side;
};
struct Rectangle : Square {
    Rectangle(int side, int other) : Square(side), other(other) {}
    std::int64_t area() const override { return std::int64_t{side} * other; }
    int other;
};

static int parse(const std::string &text) {
    int value = 0;
    for (char c : text) {
        if (c < '0' || c > '9')
            throw std::invalid_argument(text);
        value = value * 10 + (c - '0');
    }
    return value;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? std::atoi(argv[1]) : 20;
    std::uint64_t sum = 0;
    for (int round = 0; round < rounds; round++) {
        std::unordered_map<std::string, int> counts;
        std::map<int, std::vector<std::string>> groups;
        for (int i = 0; i < 4000; i++) {
            std::string key = "key" + std::to_string((i * 7919 + round) % 1500);
            counts[key] += i;
            groups[i % 97].push_back(std::move(key));
        }
        std::vector<std::pair<std::string, int>> sorted(counts.begin(), counts.end());
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t i = 0; i < sorted.size(); i += 10)
            sum = sum * 31 + static_cast<std::uint64_t>(sorted[i].second) + sorted[i].first.size();
        std::vector<std::unique_ptr<Shape>> shapes;
        for (int i = 0; i < 3000; i++)
            if (i % 3)
                shapes.push_back(std::make_unique<Square>(i));
            else
                shapes.push_back(std::make_unique<Rectangle>(i, round));
        for (const auto &shape : shapes)
            sum += static_cast<std::uint64_t>(shape->area());
        for (int i = 0; i < 200; i++)
            try {
                sum += static_cast<std::uint64_t>(parse(i % 4 ? std::to_string(i) : "x" + std::to_string(i)));
            } catch (const std::invalid_argument &error) {
                sum += std::string(error.what()).size();
            }
    }
    std::printf("%llx\n", static_cast<unsigned long long>(sum));
}
