/** Makes a service of its dependencies. */
module.exports = function service(db, { log = console } = {}) {
  function find(id) {
    return db.find(id);
  }

  async function save(row) {
    log(row);
    return db.save(row);
  }

  return { find, save };
};
