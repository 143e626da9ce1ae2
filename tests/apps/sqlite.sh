# sqlite3: a database on disk with an index, transactions, JSON, full-text search, integrity.
sqlite3 t.db <<'SQL'
create table t (id integer primary key, n real, s text);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000)
insert into t select x, x / 7.0, printf('row-%05d', x * 7919 % 20000) from c;
create index by_s on t (s);
begin; delete from t where id % 3 = 0; rollback;
update t set n = n * 2 where id <= 10000;
SQL
[ "$(sqlite3 t.db 'select count(*), round(sum(n), 3), min(s), max(s) from t')" = "20000|35716428.571|row-00000|row-19999" ] ||
    { sqlite3 t.db 'select count(*), round(sum(n), 3), min(s), max(s) from t'; exit 1; }
[ "$(sqlite3 t.db 'pragma integrity_check')" = ok ]
[ "$(sqlite3 :memory: "select json_extract('{\"a\":[1,{\"b\":2}]}', '$.a[1].b')")" = 2 ]
sqlite3 t.db .dump | sqlite3 copy.db
[ "$(sqlite3 copy.db 'select count(*) from t')" = 20000 ]
echo done
