# perl: regular expressions, big hashes, sorting, sprintf, fork and pipes, modules in C.
perl -we '
use strict;
use Digest::SHA qw(sha256_hex);
use List::Util qw(sum shuffle);
use Storable qw(freeze thaw);
use POSIX qw(floor strftime :sys_wait_h);
my %h; $h{$_ % 1000} += $_ for 1 .. 50_000;
die "hash" unless keys(%h) == 1000 && $h{7} == sum(map { $_ * 1000 + 7 } 0 .. 49);
my @s = sort { $a <=> $b } shuffle(1 .. 5000);
die "sort" unless "@s[0, 4999]" eq "1 5000";
die "sha" unless sha256_hex("abc") =~ /^ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad$/;
die "storable" unless thaw(freeze({ a => [1, 2, { b => 3 }] }))->{a}[2]{b} == 3;
(my $t = "The cat sat") =~ s/(\w+)/\u\L$1/g;
die "regex" unless $t eq "The Cat Sat";
die "float" unless sprintf("%.10g %e", 1 / 3, 12345.678) eq "0.3333333333 1.234568e+04";
my @kids = map { my $n = $_; my $pid = fork; exit $n unless $pid; $pid } 1 .. 5;
my $codes = 0; for (@kids) { waitpid $_, 0; $codes += $? >> 8 }
die "fork" unless $codes == 15;
open my $p, "-|", "echo", "piped" or die; die "pipe" unless <$p> eq "piped\n";
local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; eval { select undef, undef, undef, 10 }; die "alarm" unless $@ eq "alarm\n";
die "64 bit" unless 2 ** 40 + 1 == 1099511627777;
'
echo done
