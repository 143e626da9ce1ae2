// C++ exceptions through frames with destructors, threads, rethrow, RTTI, standard containers and streams.
// run: dynamic
// stderr: any
// cflags: -std=c++17 -pthread
#include <algorithm>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Trace {
    explicit Trace(std::string name) : name(std::move(name)) {}
    ~Trace() { std::cout << "~" << name << ' '; }
    std::string name;
};

struct Base {
    virtual ~Base() = default;
    virtual int value() const { return 1; }
};
struct Left : virtual Base {
    int value() const override { return 2; }
};
struct Right : virtual Base {};
struct Both : Left, Right {};

static double deep(int depth, double x) {
    Trace trace("d" + std::to_string(depth));
    if (depth == 0)
        throw std::runtime_error("from below");
    return deep(depth - 1, x * 1.5) + x;
}

int main() {
    try {
        deep(4, 1);
    } catch (const std::exception &error) {
        std::cout << "caught " << error.what() << '\n';
    }
    try {
        try {
            throw 42;
        } catch (...) {
            std::cout << "again ";
            throw;
        }
    } catch (int number) {
        std::cout << number << '\n';
    }
    int caught = 0;
    for (int i = 0; i < 300; i++)
        try {
            std::vector<int>(3).at(static_cast<size_t>(i));
        } catch (const std::out_of_range &) {
            caught++;
        }
    std::cout << caught << " out of range\n";
    Both both;
    Base &base = both;
    std::cout << base.value() << ' ' << (dynamic_cast<Right *>(&base) != nullptr) << '\n';
    try {
        auto future = std::async(std::launch::async, [] { return deep(2, 3); });
        future.get();
    } catch (const std::runtime_error &error) {
        std::cout << "of another thread: " << error.what() << '\n';
    }
    std::map<std::string, int> counts;
    std::istringstream text("one two one three two one");
    for (std::string word; text >> word;)
        counts[word]++;
    for (const auto &[word, count] : counts)
        std::cout << word << '=' << count << ' ';
    std::vector<int> numbers(1000);
    std::iota(numbers.begin(), numbers.end(), 1);
    std::reverse(numbers.begin(), numbers.end());
    std::stable_sort(numbers.begin(), numbers.end(), [](int a, int b) { return a % 10 < b % 10; });
    std::cout << numbers[0] << ' ' << numbers[999] << '\n';
    std::cout << std::regex_replace("2026-11-25", std::regex("(\\d+)-(\\d+)-(\\d+)"), "$3.$2.$1") << '\n';
    std::cout.precision(12);
    std::cout << 1.0 / 7 << ' ' << std::hex << 255 << std::endl;
    try {
        throw std::make_unique<Trace>("owned");
    } catch (const std::unique_ptr<Trace> &) {
        std::cout << "moved ";
    }
    std::cout << std::endl;
    throw std::logic_error("nobody catches this");
}
